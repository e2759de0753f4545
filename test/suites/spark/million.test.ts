/**
 * A million raw lines with duplicates, arrivals twenty days late, future dates, bad rows and day-level dates, loaded by the
 * Glue job on real Spark and Iceberg, and by DuckDB with the same texts: the same readings, each once. LINES makes it smaller.
 */

import { join } from "node:path";
import t from "tap";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { namedQueries } from "../../../cloud/sql/read.ts";
import { askedAt } from "../../cloud/sql/moment.ts";
import { differences } from "../trino/rows.ts";
import { RawReadings } from "./raw-readings.ts";
import { askSpark, curate, pollDuring, sparkMissing } from "./spark.ts";
import { differing, IDENTITY, rowsOf, tablesByDuckDb } from "./tables.ts";

/** The column equal_dup of delivery-gaps. */
const EQUAL_DUP = 8;
const LINES = Number(process.env.LINES ?? 1_000_000);
const folder = t.testdir();
const raw = new RawStore(join(folder, "raw"));
const lake = join(folder, "spark/lake");
const readings = new RawReadings({ seed: 2026, lines: LINES, linesAnObject: LINES / 250, days: 22 }, raw);
const places = { raw: raw.root, lake };

t.test("the Glue job on a million raw lines", { skip: sparkMissing(), timeout: 840_000 }, async (t) => {
  await t.test("loads what is there at first", async (t) => {
    await readings.more(0.1);
    const counts = await curate(places);
    t.equal(counts.readings + counts.rejects, readings.written.lines, "every line is a reading or a reject");
    t.equal(counts.rejects, readings.written.bad);
    t.equal(counts.rows, readings.written.identities.size, "each reading is there once");
    t.equal(counts.Missing, 0);
  });

  await t.test("never shows a reader fewer rows than before while it loads the rest", async (t) => {
    await readings.more(1);
    const sightings = await pollDuring(lake, curate(places));
    t.same(
      sightings,
      sightings.toSorted((one, other) => one - other),
      `${sightings.length} looks`,
    );
    t.ok(sightings.length > 1);
  });

  const duck = await tablesByDuckDb(raw, folder);
  t.teardown(() => duck.stop());
  await t.test("has the same readings as DuckDB, each once", async (t) => {
    const found = await differing(lake, duck, { readings: IDENTITY });
    t.same(found.readings, { rows: readings.written.identities.size, onlyIn: [0, 0] });
  });

  await t.test("changes nothing when it runs again", async (t) => {
    const { objects, readings, rows, rejects } = await curate(places);
    t.same([objects, readings, rows, rejects], [0, 0, 0, 0]);
  });

  await t.test("gives the audit's queries the same answers in Spark and DuckDB", async (t) => {
    const named = namedQueries().filter(
      ({ name }) => name === "delivery-gaps" || name === "daily-completeness",
    );
    const queries = Object.fromEntries(
      named.map(({ name, sql }) => [name, askedAt(sql, "2026-11-22 23:30:00")]),
    );
    const answers = await askSpark(lake, queries);
    for (const [name, sql] of Object.entries(queries)) {
      const expected = await rowsOf(duck, sql);
      t.ok(expected.length > 0, name);
      t.same(differences(compared(name, answers[name] ?? []), compared(name, expected)), [], name);
    }
  });
});

/** Which of equal deliveries the table keeps, the redelivered one or the other, depends on which came to it first. */
function compared<Value>(query: string, rows: readonly Value[][]): Value[][] {
  return query === "delivery-gaps"
    ? rows.map((row) => row.filter((_, column) => column !== EQUAL_DUP))
    : [...rows];
}
