/**
 * A million raw readings with duplicates, arrivals twenty days late, future dates, bad rows and day-level dates, made a
 * table by the Glue job on real Spark and by the local lake: the same rows, each reading once.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { queryLake } from "../../../cloud/local/lake-reader.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { namedQueries } from "../../../cloud/sql/read.ts";
import { pollDuring, shrunken } from "./poller.ts";
import { RawReadings } from "./raw-readings.ts";
import { askSpark, curate, sparkMissing } from "./spark.ts";
import { compare, curateByDuckDb, filesOf } from "./tables.ts";

const LINES = 1_000_000;
const folder = t.testdir();
const raw = new RawStore(join(folder, "raw"));
const bySpark = join(folder, "spark/lake");
const byDuckDb = join(folder, "duckdb/lake");
const readings = new RawReadings({ seed: 2026, lines: LINES, linesAnObject: 4_000, days: 22 }, raw);
const places = { raw: raw.root, lake: bySpark };

const skip = sparkMissing();
t.test("the Glue job on a million raw readings", { skip, timeout: 840_000 }, async (t) => {
  const seconds = stopwatch();

  await t.test("makes the table of what is there at first", async (t) => {
    await readings.more(0.1);
    const counts = await curate(places);
    t.equal(counts.readings + counts.rejects, readings.written.lines, "every line is a reading or a reject");
    t.equal(counts.rejects, readings.written.bad);
    t.equal(counts.rows, readings.written.identities.size, "each reading is there once");
    t.comment(`${readings.written.lines} lines in ${seconds()} s`);
  });

  await t.test("never shows a reader fewer rows than before while it makes days anew", async (t) => {
    await readings.more(1);
    const sightings = await pollDuring(bySpark, curate(places));
    t.equal(shrunken(sightings), undefined);
    t.ok(sightings.length > 3, `looked ${sightings.length} times`);
    t.comment(`${readings.written.lines} lines in ${seconds()} s, ${sightings.length} looks`);
  });

  await t.test("has the same rows as DuckDB, of the same types, each reading once", async (t) => {
    t.equal(readings.written.lines, LINES);
    await curateByDuckDb(raw, byDuckDb);
    t.comment(`DuckDB: ${seconds()} s`);
    const { rows, onlyIn, types } = await compare(bySpark, byDuckDb, join(folder, "tmp"));
    const expected = readings.written.identities.size;
    t.same(rows, [expected, expected]);
    t.same(onlyIn, [0, 0]);
    t.same(types[0], types[1]);
    t.comment(`${rows[0]} rows the same, compared in ${seconds()} s`);
  });

  await t.test("changes nothing when it runs again", async (t) => {
    const before = readFileSync(join(bySpark, "catalog.json"), "utf8");
    const { reasons, ...counts } = await curate(places);
    t.same(Object.values(counts), [0, 0, 0, 0, 0, 0, 0]);
    t.equal(readFileSync(join(bySpark, "catalog.json"), "utf8"), before);
    t.comment(`${seconds()} s`);
  });

  await t.test("gives every named query the same answer in Spark and DuckDB", async (t) => {
    const queries = Object.fromEntries(namedQueries().map(({ name, sql }) => [name, sql]));
    const answers = await askSpark(await filesOf(bySpark), queries, join(bySpark, "curated/readings"));
    for (const [name, sql] of Object.entries(queries)) {
      const { rows } = await queryLake(byDuckDb, sql);
      t.same(comparable(answers[name] ?? []), comparable(rows.map((row) => row.map(asText))), name);
      t.ok(rows.length > 0, `${name} has an answer`);
    }
    t.comment(`${seconds()} s`);
  });
});

function asText(value: unknown): string | null {
  if (value === null) return null;
  return value instanceof Date ? value.toISOString().replace("T", " ").slice(0, 23) : String(value);
}

/** Sorted, for equal places have no order; numbers to 9 digits: a mean's last ones depend on the order of its sum. */
function comparable(rows: (string | null)[][]): string[] {
  return rows.map((row) => JSON.stringify(row.map(plain))).sort();
}

function plain(value: string | null): string | number | null {
  if (value === null || !/^-?[0-9.]+(e[-+]?[0-9]+)?$/.test(value)) return value;
  return Number(Number(value).toPrecision(9));
}

/** Seconds since it was last asked. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const lap = performance.now() - last;
    last = performance.now();
    return Math.round(lap / 100) / 10;
  };
}
