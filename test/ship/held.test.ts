// What is held of the buffer when its file becomes another one, in which a key may name another group.
import t from "tap";
import { HeldGroups } from "../../agent/ship/held.ts";
import type { LeasedGroup } from "../../agent/ship/source.ts";

t.test("a group of a file that is gone does not settle the one that has its key now", async (t) => {
  const settled: [number, string][] = [];
  const held = new HeldGroups({ settle: (key, { outcome }) => void settled.push([key, outcome]) });
  const group = (length: number): LeasedGroup => ({
    groupKey: 3,
    count: length,
    receivedMs: 0,
    body: Buffer.alloc(length),
  });
  const old = group(100);
  const other = group(10);
  held.add([old]);
  held.add([other]);
  t.match(held, { size: 1, bytes: 10, readings: 10 });
  held.refuse(old, "too late");
  t.same(settled, []);
  held.refuse(other, "no");
  t.same(settled, [[3, "refused"]]);
  t.match(held, { size: 0, bytes: 0, readings: 0 });
});
