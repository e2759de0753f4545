// What is held of the buffer when its file becomes another one, in which a key may name another group.
import t from "tap";
import { HeldGroups } from "../../agent/ship/held.ts";

t.test("a group of a file that is gone does not settle the one that has its key now", async (t) => {
  const settled: [number, string][] = [];
  const held = new HeldGroups({ settle: (key, { outcome }) => void settled.push([key, outcome]) });
  const add = (length: number) => {
    const lines = Buffer.alloc(length);
    return held.add({ groupKey: 3, count: length, receivedMs: 0, body: lines, lines });
  };
  const old = add(100);
  const other = add(10);
  t.match(held, { size: 1, bytes: 10, readings: 10 });
  held.settle({ groups: [old] }, { outcome: "delivered" });
  t.same(settled, []);
  held.settle({ groups: [other] }, { outcome: "again" });
  t.same(settled, [[3, "again"]]);
  t.match(held, { size: 0, bytes: 0, readings: 0 });
});
