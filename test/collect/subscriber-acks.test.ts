import t from "tap";
import { AckQueue } from "../../agent/collect/subscriber-acks.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function queue() {
  const writes: string[] = [];
  let released = 0;
  const acks = new AckQueue(
    (bytes) => writes.push(bytes.toString("hex")),
    () => released++,
  );
  return { acks, writes, released: () => released };
}

t.test(
  "acknowledgements leave in the order received, whatever the order of storing [MQTT-4.6.0-2]",
  async (t) => {
    const { acks, writes } = queue();
    const stored = [1, 2, 3].map((id) => acks.hold(1, id, 10));
    stored[2]!();
    stored[1]!();
    await turn();
    t.strictSame(writes, [], "the first isn't on disk");
    t.equal(acks.size, 3);
    stored[0]!();
    await turn();
    t.strictSame(writes, ["400200014002000240020003"]);
    t.equal(acks.heldBytes, 0);
  },
);

t.test("those of one commit leave in one write", async (t) => {
  const { acks, writes } = queue();
  const stored = Array.from({ length: 20_000 }, (_, index) => acks.hold(1, index + 1, 1));
  for (const done of stored) done();
  await turn();
  t.equal(writes.length, 1);
  t.equal(writes[0]?.length, 20_000 * 8);
  t.equal(acks.size, 0);
});

t.test("QoS 2 is answered by PUBREC, QoS 0 by nothing", async (t) => {
  const { acks, writes, released } = queue();
  for (const done of [acks.hold(0, 0, 5), acks.hold(2, 0x0102, 5), acks.hold(1, 3, 5)]) done();
  await turn();
  t.strictSame(writes, ["5002010240020003"]);
  acks.hold(0, 0, 5)();
  await turn();
  t.equal(writes.length, 1);
  t.equal(released(), 2);
});

t.test("after the connection's end nothing is acknowledged", async (t) => {
  const { acks, writes } = queue();
  const before = acks.hold(1, 1, 1);
  const flushed = acks.hold(1, 2, 1);
  before();
  acks.close();
  flushed();
  await turn();
  t.strictSame(writes, []);
  t.equal(acks.size, 0);
});
