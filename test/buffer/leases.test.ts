// Leasing from both ends at once: each group once, ascending, whatever is sent back meanwhile.
import fc from "fast-check";
import t from "tap";
import { type Ends, Leases, MAX_GAPS, type Queue } from "../../agent/buffer/leases.ts";
import { drain, linesOf, openIn, store } from "./setup.ts";

type Row = { key: number; count: number };

class Rows implements Queue<Row> {
  keys: number[] = [];

  rows(after: number, before: number, from: "oldest" | "newest"): Row[] {
    const keys = this.keys.filter((key) => key > after && key < before);
    return (from === "oldest" ? keys : keys.toReversed()).map((key) => ({ key, count: 1 }));
  }
}

/** The keys of the next groups, at most `most` of them. */
function take(leases: Leases, rows: Rows, from: "oldest" | "newest", ends: Ends, most = 1): number[] {
  const keys: number[] = [];
  leases.take(rows, from, ends, ({ key }) => keys.length < most && keys.push(key) > 0);
  return keys;
}

t.test(
  "invariant 4: no group is out twice, and all of them leave in the end, whichever end is asked",
  async () => {
    const step = fc.constantFrom("add", "add", "oldest", "newest", "newest", "again", "delivered", "dropped");
    const most = (index: number) => 1 + (index % 3);
    const property = fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const rows = new Rows();
      const leases = new Leases();
      const out: number[] = [];
      let next = 1;
      const takeSome = (from: "oldest" | "newest", index: number) => {
        const keys = take(leases, rows, from, { salvaged: 0, key: next }, most(index));
        const twice = keys.find((key) => out.includes(key));
        if (twice !== undefined) throw new Error(`${twice} is out twice`);
        out.push(...keys);
        return keys.length > 0;
      };
      for (const [index, each] of steps.entries()) {
        if (each === "add") rows.keys.push(next++);
        else if (each === "oldest" || each === "newest") takeSome(each, index);
        else {
          const [key] = out.splice(index % Math.max(1, out.length), 1);
          if (key === undefined) continue;
          if (each === "dropped") leases.dropped(key);
          else leases.settle(key, { outcome: each === "again" ? "again" : "delivered" });
          if (each !== "again") rows.keys = rows.keys.filter((other) => other !== key);
        }
      }
      while (takeSome("oldest", 0));
      if (out.length !== rows.keys.length) throw new Error(`${out.length} of ${rows.keys.length} are out`);
    });
    fc.assert(property, { numRuns: 500 });
  },
);

t.test("what is remembered of the newest end has a limit", async (t) => {
  const rows = new Rows();
  const leases = new Leases();
  for (let key = 1; key < 5 * MAX_GAPS; key++) {
    rows.keys.push(key);
    if (key % 2 === 0) take(leases, rows, "newest", { salvaged: 0, key: key + 1 });
  }
  let rest = 0;
  while (take(leases, rows, "oldest", { salvaged: 0, key: 5 * MAX_GAPS }).length > 0) rest++;
  t.equal(rest + leases.size - rest, rows.keys.length);
});

t.test("the newest groups can be leased while a backlog waits, and the backlog after them", async (t) => {
  const { buffer } = openIn(t);
  for (let group = 0; group < 6; group++) store(buffer, group * 10, 10);
  const [newest] = buffer.lease(1, "newest");
  t.equal(linesOf(newest?.body ?? Buffer.alloc(0))[0]?.id, "PP_50");
  store(buffer, 60, 10);
  const keys = buffer.lease(newest?.body.length ?? 0, "newest").map(({ groupKey }) => groupKey);
  t.same(keys, [61], "what came meanwhile is newer still");
  buffer.settle(61, { outcome: "again" });
  t.same(
    buffer.lease(1e6, "newest").map(({ groupKey }) => groupKey),
    [1, 11, 21, 31, 41, 61],
    "ascending",
  );
  for (const key of [1, 11, 21, 31, 41, 51, 61]) buffer.settle(key, { outcome: "delivered" });
  buffer.flush();
  t.match(buffer.accounts(), { shipped: 70, buffered: 0 });
  t.same(drain(buffer), []);
});

t.test("a late settlement of another file's group meets none that has its key by chance", async (t) => {
  const rows = new Rows();
  rows.keys = [-9, 1, 2, 3];
  const leases = new Leases();
  const next = (most: number) => take(leases, rows, "oldest", { salvaged: 0, key: 4 }, most);
  t.same(next(3), [-9, 1, 2]);
  leases.reset();
  t.same(next(2), [3], "first those whose keys are not out");
  for (const key of [-9, 2]) t.notOk(leases.settle(key, { outcome: "delivered" }));
  t.same(leases.settled, [], "nothing is deleted for it");
  t.same(next(3), [-9, 2]);
  t.ok(leases.settle(2, { outcome: "delivered" }));
});

t.test("a lease that takes nothing leaves what is known of the queue as it was", async (t) => {
  const rows = new Rows();
  const leases = new Leases();
  for (let key = 1; key < 2 * MAX_GAPS; key++) {
    rows.keys.push(key);
    take(leases, rows, "newest", { salvaged: 0, key: key + 1 }, 0);
  }
  t.same(take(leases, rows, "newest", { salvaged: 0, key: 2 * MAX_GAPS }), [2 * MAX_GAPS - 1]);
});

t.test("invariant 4: a group whose dropping was lost is out once, leased before or not", async (t) => {
  const rows = new Rows();
  rows.keys = [-9, -8, 1, 2, 3];
  const leases = new Leases();
  const ends = { salvaged: 0, key: 4 };
  t.same([take(leases, rows, "oldest", ends), take(leases, rows, "newest", ends)], [[-9], [3]]);
  for (const key of rows.keys) leases.dropped(key);
  for (const key of rows.keys) leases.notDropped(key);
  t.same(take(leases, rows, "oldest", ends, 6), [-9, -8, 1, 2, 3]);
});
