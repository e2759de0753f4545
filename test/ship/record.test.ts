import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import t from "tap";
import { createKeys } from "../../agent/ship/keys.ts";
import { cutAnew, recordOf } from "../../agent/ship/record.ts";
import { readings } from "../helpers/ship-rig.ts";

const newKey = createKeys();

function groupsOf(counts: readonly number[]) {
  let seq = 0;
  return counts.map((count, index) => {
    const lines = readings(count, seq);
    seq += count;
    return { groupKey: index, count, receivedMs: 0, body: gzipSync(lines.join(""), { level: 1 }) };
  });
}

const textOf = (data: Buffer) => gunzipSync(data).toString();

t.test("whatever the groups, a record has each of their lines once, in order", async (t) => {
  const counts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(counts, (all) => {
      const groups = groupsOf(all);
      const record = recordOf(groups, newKey);
      const expected = groups.map(({ body }) => textOf(body)).join("");
      return textOf(record.data) === expected && record.readings === all.reduce((sum, one) => sum + one, 0);
    }),
    { numRuns: 50 },
  );
  t.pass();
});

t.test("a record cut anew has the same groups, each in one part", async (t) => {
  const counts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(counts, fc.integer({ min: 100, max: 20_000 }), (all, maxBytes) => {
      const record = recordOf(groupsOf(all), newKey);
      const parts = cutAnew(record, maxBytes, newKey);
      const keys = parts.flatMap(({ groups }) => groups.map(({ groupKey }) => groupKey));
      const small = parts.every(({ data, groups }) => data.length <= maxBytes || groups.length === 1);
      return (
        small &&
        keys.join() === all.map((_, index) => index).join() &&
        new Set(parts.map(({ key }) => key)).size === parts.length
      );
    }),
    { numRuns: 50 },
  );
  t.pass();
});

t.test("a damaged member costs itself alone", async (t) => {
  const groups = groupsOf([3, 3, 3]);
  const damaged = groups[1]?.body ?? Buffer.alloc(0);
  damaged.fill(0, 20, 30);
  const { data } = recordOf(groups, newKey);
  const [first, , last] = groups.map(({ body }) => body);
  t.ok(data.subarray(0, first?.length).equals(first ?? damaged), "the member before it is as it was");
  t.ok(data.subarray(-(last?.length ?? 0)).equals(last ?? damaged), "and so is the one behind it");
});
