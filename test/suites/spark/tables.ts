/** The lake's tables made of raw objects by DuckDB with the same texts, in memory, and Spark's beside them. */

import { join } from "node:path";
import { z } from "zod";
import { LAYOUT } from "../../../cloud/layout.ts";
import { Duck, quoted } from "../../../cloud/local/duck.ts";
import type { RawStore } from "../../../cloud/local/raw-store.ts";
import { viewGateways, viewRaw } from "../../../cloud/local/raw-view.ts";
import { tidy } from "../../../cloud/local/tidy.ts";
import { type ConversionText, conversionText } from "../../../cloud/sql/read.ts";
import { exportSpark } from "./spark.ts";

const TABLES: Readonly<Record<string, ConversionText>> = {
  readings: "curate",
  deliveries: "deliveries",
  gateways: "gateways",
  rejects: "rejects",
};
const Row = z.record(z.string(), z.unknown());

/** What makes two rows one reading. */
export const IDENTITY = "gateway, turbine, type, id, date, data, day";

/** A DuckDB with the lake's tables of all raw objects there are; to be stopped. */
export async function tablesByDuckDb(raw: RawStore, folder: string): Promise<Duck> {
  const duck = new Duck({ temporaryFolder: join(folder, "tmp") });
  await duck.start();
  const sources: { path: string; tidied: true }[] = [];
  for (const object of await raw.list()) {
    const copy = join(folder, "tidied", object);
    await tidy(object, raw.path(object), copy);
    sources.push({ path: copy, tidied: true });
  }
  await viewRaw(duck, { root: raw.root, sources });
  await viewGateways(duck, { root: raw.root, sources });
  for (const [table, text] of Object.entries(TABLES))
    await duck.run(`CREATE OR REPLACE TABLE ${table} AS ${conversionText(text)}`);
  return duck;
}

/** The rows of a question to DuckDB, values in their order. */
export async function rowsOf(duck: Duck, sql: string): Promise<unknown[][]> {
  return (await duck.rows(sql, Row)).map((row) => Object.values(row));
}

/** How many rows of `columns` only Spark's table has, and only DuckDB's, each as often as it has it more. */
export async function differing(
  lake: string,
  duck: Duck,
  table: string,
  columns: string,
): Promise<{ rows: number; onlyIn: [number, number] }> {
  const file = await exportSpark(lake, `SELECT ${columns} FROM ${table}`);
  await duck.run(`CREATE OR REPLACE VIEW by_spark AS FROM read_parquet(${quoted(`${file}/*.parquet`)})`);
  const count = async (sql: string) => Number((await rowsOf(duck, `SELECT count(*) FROM (${sql})`))[0]?.[0]);
  const mine = `SELECT ${columns} FROM ${table}`;
  return {
    rows: await count("FROM by_spark"),
    onlyIn: [
      await count(`FROM by_spark EXCEPT ALL ${mine}`),
      await count(`${mine} EXCEPT ALL FROM by_spark`),
    ],
  };
}

export const ALL_COLUMNS = [...Object.keys(LAYOUT.fields), "dt"].join(", ");
