import t from "tap";
import { drain, head, linesOf, NOW, openIn, store } from "./setup.ts";

t.test("a reading is stored after the commit, and not before", (t) => {
  const { buffer } = openIn(t);
  const told: string[] = [];
  buffer.append(head("PP_1"), "T07", NOW, () => told.push("PP_1"));
  t.same(told, []);
  buffer.flush();
  t.same(told, ["PP_1"]);
  t.match(buffer.accounts(), { received: 1, buffered: 1 });
  t.end();
});

t.test("readings leave in order with seq 1, 2, 3 and survive a reopening", async (t) => {
  const folder = t.testdir();
  const first = openIn(t, {}, { folder });
  store(first.buffer, 0, 2500);
  await first.buffer.close();
  const { buffer } = openIn(t, {}, { folder });
  t.equal(buffer.epoch, first.buffer.epoch);
  const lines = drain(buffer);
  t.same(
    lines.map(({ seq }) => seq),
    Array.from({ length: 2500 }, (_, index) => index + 1),
  );
  t.equal(lines.at(0)?.id, "PP_0");
  t.same(buffer.accounts(), { received: 2500, buffered: 0, shipped: 2500, rejected: 0, dropped: 0 });
  store(buffer, 0, 1);
  t.equal(linesOf(buffer.lease(1)[0]?.body ?? Buffer.alloc(0))[0]?.seq, 2501);
});
