import { randomBytes } from "node:crypto";
import fc from "fast-check";
import t from "tap";
import { deaggregate } from "../../agent/contract/aggregate.ts";
import { createCutter } from "../../agent/ship/cutter.ts";
import { createKeys } from "../../agent/ship/keys.ts";
import type { GroupProgress, ShipRecord } from "../../agent/ship/ledger.ts";
import { splitLines } from "../helpers/line-source.ts";

const PUT_UNIT_BYTES = 25 * 1024;

function cutAll(aggregation: "kpl" | "none", recordBytes: number, bodies: string[]) {
  const cutter = createCutter(aggregation, recordBytes, createKeys(randomBytes));
  const records: ShipRecord[] = [];
  const take = (record: ShipRecord) => records.push(record);
  const groups = bodies.map((body, index): GroupProgress => {
    const progress = { groupKey: index, bytes: body.length, parts: 0, cut: false };
    cutter.cut(progress, Buffer.from(body), take);
    return progress;
  });
  cutter.flush(take);
  return { cutter, records, groups };
}

function linesOf({ key, data }: ShipRecord): string[] {
  const inside = deaggregate(data);
  if (inside === undefined) return [data.toString()];
  if (inside.some(({ partitionKey }) => partitionKey !== key)) return ["a reading with another key"];
  return inside.map((reading) => reading.data.toString());
}

const line = fc.string({ maxLength: 300 }).map((text) => `${text.replaceAll("\n", " ")}\n`);
const bodies = fc.array(
  fc.array(line, { minLength: 1, maxLength: 30 }).map((lines) => lines.join("")),
  { minLength: 1, maxLength: 20 },
);

for (const aggregation of ["kpl", "none"] as const) {
  t.test(`every line is in exactly one record, in its order (${aggregation})`, async (t) => {
    fc.assert(
      fc.property(bodies, fc.integer({ min: 100, max: 3000 }), (all, recordBytes) => {
        const { cutter, records, groups } = cutAll(aggregation, recordBytes, all);
        t.equal(cutter.waiting, 0);
        const found = records.flatMap(linesOf);
        // A line too long for an aggregated record overtakes those that wait in the open one.
        t.strictSame(found.sort(), all.flatMap(splitLines).sort());
        t.equal(
          records.reduce((sum, { readings }) => sum + readings, 0),
          found.length,
        );
        for (const group of groups) {
          t.equal(group.parts, records.filter((record) => record.groups.includes(group)).length);
        }
      }),
      { numRuns: 60 },
    );
  });
}

t.test(
  "the memory of a record is used again once it was accepted, in whatever order, and not before",
  async (t) => {
    /** After each record: one of those under way is accepted, or none. */
    const accepted = fc.array(fc.option(fc.nat(), { nil: undefined }), { minLength: 20, maxLength: 100 });
    let usedAgain = 0;
    fc.assert(
      fc.property(bodies, fc.integer({ min: 200, max: 1000 }), accepted, (all, recordBytes, picks) => {
        const cutter = createCutter("kpl", recordBytes, createKeys(randomBytes));
        const waiting: ShipRecord[] = [];
        const memories = new Set<ArrayBufferLike>();
        const found: string[] = [];
        const accept = (pick: number) => {
          const [record] = waiting.splice(pick % waiting.length, 1);
          if (record === undefined) return;
          found.push(...linesOf(record));
          // A second time is of no effect.
          for (let i = 0; i < 2; i++) cutter.release(record);
        };
        const take = (record: ShipRecord) => {
          if (memories.has(record.data.buffer)) usedAgain++;
          memories.add(record.data.buffer);
          waiting.push(record);
          const pick = picks.pop();
          if (pick !== undefined) accept(pick);
        };
        for (const [groupKey, body] of all.entries()) {
          cutter.cut({ groupKey, bytes: body.length, parts: 0, cut: false }, Buffer.from(body), take);
        }
        cutter.flush(take);
        while (waiting.length > 0) accept(0);
        t.strictSame(found.sort(), all.flatMap(splitLines).sort());
      }),
      { numRuns: 100 },
    );
    t.ok(usedAgain > 20, `${usedAgain} times`);
  },
);

t.test("a record with its key is never larger than it was told, except with one long reading", async (t) => {
  fc.assert(
    fc.property(bodies, fc.integer({ min: 100, max: 3000 }), (all, recordBytes) => {
      for (const { key, data, readings } of cutAll("kpl", recordBytes, all).records) {
        if (deaggregate(data) === undefined) t.equal(readings, 1);
        else t.ok(data.length + key.length <= recordBytes);
      }
    }),
    { numRuns: 60 },
  );
});

t.test("a million readings of 178 bytes cost at most 8 000 PUT payload units", async (t) => {
  const body = `${"x".repeat(177)}\n`.repeat(1000);
  const { records } = cutAll(
    "kpl",
    51_200,
    Array.from({ length: 100 }, () => body),
  );
  const units = records.reduce(
    (sum, { key, data }) => sum + Math.ceil((data.length + key.length) / PUT_UNIT_BYTES),
    0,
  );
  t.comment(`${units * 10} units`);
  t.ok(units * 10 <= 8000);
});

t.test("every record has another partition key of eight characters", async (t) => {
  const { records } = cutAll("none", 51_200, ["reading\n".repeat(2000)]);
  t.equal(new Set(records.map(({ key }) => key)).size, 2000);
  t.ok(records.every(({ key }) => /^[\w-]{8}$/.test(key)));
});

t.test("a reading without its newline at the end of a group is not lost", async (t) => {
  t.strictSame(cutAll("kpl", 51_200, ["one\ntwo"]).records.flatMap(linesOf), ["one\n", "two"]);
});
