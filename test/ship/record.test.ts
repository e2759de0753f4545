import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import t from "tap";
import { membersOf } from "../../agent/ship/record.ts";
import { readings } from "../helpers/ship-rig.ts";

function groupsOf(counts: readonly number[]) {
  let seq = 0;
  return counts.map((count) => {
    const lines = Buffer.from(readings(count, seq).join(""));
    seq += count;
    return { body: gzipSync(lines, { level: 1 }), lines };
  });
}

t.test("whatever the groups, a record has each of their lines once, in order", async (t) => {
  const counts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(counts, (all) => {
      const groups = groupsOf(all);
      return gunzipSync(membersOf(groups)).equals(Buffer.concat(groups.map(({ lines }) => lines)));
    }),
    { numRuns: 50 },
  );
  t.pass();
});
