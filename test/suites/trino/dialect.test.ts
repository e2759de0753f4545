/**
 * Athena's dialect in Trino's engine. The conversion reads the same raw lines as DuckDB and makes the same rows of them, and the
 * named queries asked over the Iceberg tables that the Glue job wrote get the same answers as DuckDB's.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type Column, LAYOUT, rawReadingColumns } from "../../../cloud/layout.ts";
import { type Duck, quoted } from "../../../cloud/local/duck.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { TIDY_COLUMNS } from "../../../cloud/local/raw-view.ts";
import { conversionText } from "../../../cloud/sql/read.ts";
import { edgeLines } from "../spark/edge-lines.ts";
import { putRaw, RawReadings } from "../spark/raw-readings.ts";
import { copyTables, curate, sparkMissing } from "../spark/spark.ts";
import { IDENTITY, rowsOf, tablesByDuckDb } from "../spark/tables.ts";
import { questions, timelyQueries } from "./questions.ts";
import { differences } from "./rows.ts";
import { Trino, trinoMissing } from "./trino.ts";

// Of a reject only the reason counts: an engine may read a number that is too large as infinity or as none.
const CHECKED =
  "SELECT id, CASE WHEN reason IS NULL THEN data END AS data, type, date, turbine, gateway, epoch, seq, received, day, dup, " +
  "dt, shelf, reason, raw_object, raw_line FROM checked_readings";
const folder = t.testdir();
const raw = new RawStore(join(folder, "raw"));
const lake = join(folder, "spark/lake");
const noSpark = sparkMissing();
const skip = trinoMissing();

t.test("Athena's dialect", { skip, timeout: 840_000 }, async (t) => {
  const trino = new Trino(folder);
  t.teardown(() => trino.stop());
  const readings = new RawReadings({ seed: 7, lines: 12_000, linesAnObject: 200, days: 22 }, raw);
  await readings.more(1);
  putRaw(raw, Date.UTC(2026, 10, 22), `${edgeLines().join("\n")}\n`);
  const sparkDone = noSpark === false ? curate({ raw: raw.root, lake }) : undefined;
  // Its failure is told where its table is asked for.
  sparkDone?.catch(() => {});
  const duck = await tablesByDuckDb(raw, folder);
  t.teardown(() => duck.stop());

  await t.test("the conversion", async (t) => {
    await tablesOfRaw(duck, trino);
    const asked = {
      "check.sql": CHECKED,
      "curate.sql": conversionText("curate"),
      "rejects.sql": conversionText("rejects"),
      "deliveries.sql": conversionText("deliveries"),
      "gateways.sql": conversionText("gateways"),
    };
    for (const [name, sql] of Object.entries(asked)) {
      const expected = await rowsOf(duck, sql);
      t.same(differences(await trino.ask("raw", sql), expected), [], `${name}: ${expected.length} rows`);
      t.ok(expected.length > 5, "there was something to compare");
    }
  });

  await t.test(
    "Trino answers over the Iceberg tables of the Glue job as DuckDB does",
    { skip: noSpark },
    async (t) => {
      await sparkDone;
      const tables = ["readings", "deliveries", "gateways", "rejects"];
      const copied = await copyTables(lake, { tables, as: "local:///copied", into: join(folder, "copied") });
      for (const { table, latest } of copied)
        await trino.register(LAYOUT.database, table, `local:///copied/${LAYOUT.database}/${table}`, latest);
      // Of equal deliveries another one may have been first: what they say is the same.
      for (const [name, sql] of Object.entries(questions(IDENTITY))) {
        const expected = await rowsOf(duck, sql);
        t.same(differences(await trino.askLake(LAYOUT.database, sql), expected), [], name);
        t.ok(expected.length > 0, `${name}: ${expected.length} rows`);
      }
      for (const { name, sql } of timelyQueries())
        await t.resolves(trino.askLake(LAYOUT.database, sql), `${name} as it stands`);
    },
  );
});

/** The raw lines as tables of Trino, and the view over them that the conversion's texts ask. */
async function tablesOfRaw(duck: Duck, trino: Trino): Promise<void> {
  const strings = (names: readonly string[]): Column[] =>
    names.map((name) => ({ name, hive: "varchar", duckdb: "VARCHAR", spark: "string" }));
  const tables = {
    raw_readings: [...rawReadingColumns().map(({ name }) => name), ...TIDY_COLUMNS],
    raw_gateways: [...Object.keys(LAYOUT.statusFields), "raw_object"],
  };
  await trino.ask("raw", "CREATE SCHEMA IF NOT EXISTS raw");
  for (const [table, names] of Object.entries(tables)) {
    const path = join(folder, "lines", table);
    mkdirSync(path, { recursive: true });
    await duck.run(
      `COPY (SELECT ${names.join(", ")} FROM ${table}) TO ${quoted(`${path}/lines.parquet`)} (FORMAT parquet)`,
    );
    const typed = strings(names).map(({ name, hive }) => `${name} ${hive}`);
    await trino.ask(
      "raw",
      `CREATE TABLE ${table} (${typed.join(", ")}) WITH (format = 'PARQUET', external_location = 'local:///lines/${table}')`,
    );
  }
  await trino.ask("raw", `CREATE VIEW checked_readings AS ${conversionText("check")}`);
}
