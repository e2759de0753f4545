/**
 * Athena's dialect in Trino's engine. The conversion reads the same raw lines as DuckDB and makes the same rows of them. The
 * named queries are asked over the very Parquet files that the local lake and the Glue job wrote, read where they lie, each
 * day a partition that points at its version's folder: the same answers as DuckDB's, and as Spark's.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { z } from "zod";
import { type Column, rawColumns } from "../../../cloud/layout.ts";
import { Duck, quoted } from "../../../cloud/local/duck.ts";
import { queryLake } from "../../../cloud/local/lake-reader.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { TIDY_COLUMNS, viewRaw } from "../../../cloud/local/raw-view.ts";
import { tidy } from "../../../cloud/local/tidy.ts";
import { conversionText } from "../../../cloud/sql/read.ts";
import { edgeLines } from "../spark/edge-lines.ts";
import { RawReadings } from "../spark/raw-readings.ts";
import { askSpark, curate, sparkMissing } from "../spark/spark.ts";
import { curateByDuckDb, filesOf } from "../spark/tables.ts";
import { questions, timelyQueries } from "./questions.ts";
import { differences } from "./rows.ts";
import { tableOfFolder, tableOfLake } from "./tables.ts";
import { Trino, trinoMissing } from "./trino.ts";

// Of a reject only the reason counts: an engine may read a number that is too large as infinity or as none.
const CHECKED =
  "SELECT id, CASE WHEN reason IS NULL THEN data END AS data, type, date, turbine, gateway, epoch, seq, received, dt, " +
  "reason, raw_object, raw_line FROM checked_readings";
const folder = t.testdir();
const raw = new RawStore(join(folder, "raw"));
const byDuckDb = join(folder, "duckdb/lake");
const bySpark = join(folder, "spark/lake");
const noSpark = sparkMissing();
const skip = trinoMissing();

t.test("Athena's dialect", { skip, timeout: 600_000 }, async (t) => {
  const trino = new Trino(folder);
  t.teardown(() => trino.stop());
  const readings = new RawReadings({ seed: 7, lines: 12_000, linesAnObject: 200, days: 22 }, raw);
  await readings.more(1);
  await raw.put(Date.UTC(2026, 10, 22), Buffer.from(edgeLines().join("\n")));
  const sparkDone = noSpark === false ? curate({ raw: raw.root, lake: bySpark }) : undefined;
  // Its failure is told where its table is asked for.
  sparkDone?.catch(() => {});
  await curateByDuckDb(raw, byDuckDb);

  await t.test("the conversion", async (t) => {
    const duck = new Duck({ temporaryFolder: join(folder, "tmp") });
    t.teardown(() => duck.stop());
    await duck.start();
    await viewTidied(duck);
    await tableOfRaw(duck, trino);
    const asked = {
      "check.sql": CHECKED,
      "curate.sql": conversionText("curate"),
      "rejects.sql": conversionText("rejects"),
    };
    for (const [name, sql] of Object.entries(asked)) {
      const expected = await rowsOf(duck, sql);
      t.same(differences(await trino.ask("raw", sql), expected), [], `${name}: ${expected.length} rows`);
      t.ok(expected.length > 20, "there was something to compare");
    }
  });

  const answers: Record<string, unknown[][]> = {};
  await t.test("DuckDB answers every question", async (t) => {
    for (const [name, sql] of Object.entries(questions())) {
      answers[name] = (await queryLake(byDuckDb, sql)).rows;
      t.ok(answers[name].length > 0, `${name}: ${answers[name].length} rows`);
    }
    const [odd = []] = answers["odd readings"] ?? [];
    t.ok(
      odd.every((count) => Number(count) > 20),
      `late, future-dated, day-level: ${odd}`,
    );
    const { lines, bad } = readings.written;
    t.ok((answers["the whole table"]?.length ?? lines) < lines - bad, "there were duplicates");
  });

  const askAll = async (t: Test, schema: string) => {
    for (const [name, sql] of Object.entries(questions()))
      t.same(differences(await trino.ask(schema, sql), answers[name] ?? []), [], name);
  };
  await t.test("Trino answers alike over the Parquet of the local lake", async (t) => {
    await tableOfLake(trino, "by_duckdb", folder, byDuckDb);
    await askAll(t, "by_duckdb");
    for (const { name, sql } of timelyQueries())
      await t.resolves(trino.ask("by_duckdb", sql), `${name} as it stands`);
  });

  await t.test("Trino answers alike over the Parquet of the Glue job", { skip: noSpark }, async (t) => {
    await sparkDone;
    await tableOfLake(trino, "by_spark", folder, bySpark);
    await askAll(t, "by_spark");
  });

  await t.test("Spark answers alike", { skip: noSpark }, async (t) => {
    const told = await askSpark(await filesOf(bySpark), questions(), join(bySpark, "curated/readings"));
    for (const [name, expected] of Object.entries(answers))
      t.same(differences(told[name] ?? [], expected), [], name);
  });
});

async function viewTidied(duck: Duck): Promise<void> {
  const sources: { path: string; tidied: true }[] = [];
  for (const object of await raw.list()) {
    const copy = join(folder, "tidied", object);
    await tidy(object, raw.path(object), copy);
    sources.push({ path: copy, tidied: true });
  }
  await viewRaw(duck, { root: raw.root, sources });
}

/** The raw lines as a table of Trino, and the view over it that the conversion's texts ask. */
async function tableOfRaw(duck: Duck, trino: Trino): Promise<void> {
  const path = join(folder, "lines");
  mkdirSync(path);
  const tidyColumns = TIDY_COLUMNS.map(
    (name): Column => ({ name, hive: "string", duckdb: "VARCHAR", spark: "string" }),
  );
  const columns = [...rawColumns(), ...tidyColumns];
  const names = columns.map(({ name }) => name).join(", ");
  await duck.run(
    `COPY (SELECT ${names} FROM raw_readings) TO ${quoted(`${path}/lines.parquet`)} (FORMAT parquet)`,
  );
  await tableOfFolder(trino, "raw", folder, { table: "raw_readings", columns, path });
  await trino.ask("raw", `CREATE VIEW checked_readings AS ${conversionText("check")}`);
}

const Value = z.union([z.string(), z.number(), z.bigint(), z.date(), z.null()]);
const Row = z.record(z.string(), Value);

async function rowsOf(duck: Duck, sql: string): Promise<unknown[][]> {
  return (await duck.rows(sql, Row)).map((row) => Object.values(row));
}
