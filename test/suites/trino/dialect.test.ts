/** The conversion and the named queries in Trino's engine and in DuckDB: the same text over the same raw lines, the same rows. */

import { join } from "node:path";
import t from "tap";
import { z } from "zod";
import { curatedColumns, dayColumn, rawColumns } from "../../../cloud/layout.ts";
import { Duck, quoted } from "../../../cloud/local/duck.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { TIDY_COLUMNS, viewRaw } from "../../../cloud/local/raw-view.ts";
import { tidy } from "../../../cloud/local/tidy.ts";
import { conversionText, namedQueries } from "../../../cloud/sql/read.ts";
import { edgeLines } from "../spark/edge-lines.ts";
import { RawReadings } from "../spark/raw-readings.ts";
import { askTrino, trinoMissing } from "./trino.ts";

const RAW_COLUMNS = [...rawColumns().map(({ name }) => name), ...TIDY_COLUMNS];
const CURATED_COLUMNS = [...curatedColumns(), dayColumn()].map(({ name }) => name).join(", ");
// Of a reject only the reason counts: an engine may read a number that is too large as infinity or as none.
const CHECKED =
  "SELECT id, CASE WHEN reason IS NULL THEN data END AS data, type, date, turbine, gateway, epoch, seq, received, dt, " +
  "reason, raw_object, raw_line FROM checked_readings";
const folder = t.testdir();
const skip = trinoMissing();

t.test("Athena's dialect", { skip, timeout: 300_000 }, async (t) => {
  const raw = new RawStore(join(folder, "raw"));
  await new RawReadings({ seed: 7, lines: 3_000, linesAnObject: 100, days: 22 }, raw).more(1);
  await raw.put(Date.UTC(2026, 10, 22), Buffer.from(edgeLines().join("\n")));
  const duck = new Duck({ temporaryFolder: join(folder, "tmp") });
  t.teardown(() => duck.stop());
  await duck.start();
  await viewTidied(duck, raw);

  const queries = namedQueries();
  const statements = [
    rawTable(await rowsOf(duck, `SELECT ${RAW_COLUMNS.join(", ")} FROM raw_readings`)),
    `CREATE TABLE checked_readings AS ${conversionText("check")}`,
    `CREATE TABLE readings AS ${conversionText("curate")}`,
    CHECKED,
    `SELECT ${CURATED_COLUMNS} FROM readings`,
    conversionText("rejects"),
    ...queries.map(({ sql }) => sql),
  ];
  const answers = await askTrino(statements);
  t.equal(answers.length, statements.length);
  const failed = answers.flatMap((answer, at) =>
    "error" in answer ? [[answer.error, statements[at]?.slice(0, 80)]] : [],
  );
  t.same(failed, [], "Trino takes every statement");

  const told = answers.slice(-3 - queries.length).map((answer) => ("error" in answer ? [] : answer));
  const [checked = [], curated = [], rejects = [], ...named] = told;
  await duck.run("CREATE TEMP TABLE readings AS SELECT * FROM curated_readings");

  await t.test("reads every line alike: the values, and the reason of a reject", async (t) => {
    const expected = await rowsOf(duck, CHECKED);
    t.ok(expected.length > 3_000, `${expected.length} lines`);
    t.same(sorted(checked), sorted(expected));
  });

  await t.test("makes the same table, and the same rejects", async (t) => {
    t.same(sorted(curated), sorted(await rowsOf(duck, `SELECT ${CURATED_COLUMNS} FROM readings`)));
    t.same(sorted(rejects), sorted(await rowsOf(duck, conversionText("rejects"))));
    t.ok(rejects.length > 20, `${rejects.length} rejects`);
  });

  for (const [at, { name, sql }] of queries.entries()) {
    await t.test(`answers ${name} alike`, async (t) => {
      const expected = await rowsOf(duck, sql);
      t.same(sorted(named[at] ?? []), sorted(expected));
      t.comment(`${expected.length} rows`);
    });
  }
});

async function viewTidied(duck: Duck, raw: RawStore): Promise<void> {
  const sources: { path: string; tidied: true }[] = [];
  for (const object of await raw.list()) {
    const copy = join(folder, "tidied", object);
    await tidy(object, raw.path(object), copy);
    sources.push({ path: copy, tidied: true });
  }
  await viewRaw(duck, raw.root, sources);
}

const Value = z.union([z.string(), z.number(), z.bigint(), z.date(), z.null()]);
const Row = z.record(z.string(), Value);

async function rowsOf(duck: Duck, sql: string): Promise<(string | null)[][]> {
  const rows = await duck.rows(sql, Row);
  return rows.map((row) => Object.values(row).map(asText));
}

function asText(value: z.infer<typeof Value>): string | null {
  if (value === null) return null;
  return value instanceof Date ? value.toISOString().slice(0, 23) : String(value);
}

/** The raw lines as a table of Trino's memory. */
function rawTable(rows: (string | null)[][]): string {
  const columns = RAW_COLUMNS.map((name) => `${name} varchar`).join(", ");
  const lines = `CAST(json_parse(${quoted(JSON.stringify(rows))}) AS array(row(${columns})))`;
  return `CREATE TABLE raw_readings AS SELECT * FROM UNNEST(${lines}) AS lines (${RAW_COLUMNS.join(", ")})`;
}

function sorted(rows: (string | null)[][]): string[] {
  return comparable(rows)
    .map((row) => JSON.stringify(row))
    .sort();
}

/** Numbers to 9 digits, for a mean depends in its last ones on the order of its sum; times in one form. */
function comparable(rows: (string | null)[][]): (string | number | null)[][] {
  return rows.map((row) => row.map((value) => (value === null ? null : plain(value))));
}

function plain(value: string): string | number {
  if (/^-?[0-9.]+(e[-+]?[0-9]+)?$/i.test(value)) return Number(Number(value).toPrecision(9));
  const time = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2})?([.]\d{1,3})?$/.exec(value);
  return time === null ? value : `${time[1]} ${time[2]}${time[3] ?? ":00"}${(time[4] ?? ".").padEnd(4, "0")}`;
}
