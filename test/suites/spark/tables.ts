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

export interface Difference {
  /** Rows of Spark's table. */
  rows: number;
  /** Rows that only Spark's table has, and only DuckDB's, each as often as it has it more. */
  onlyIn: [number, number];
}

/** Compares the columns of each of Spark's tables with DuckDB's. @param asked columns by table */
export async function differing(
  lake: string,
  duck: Duck,
  asked: Readonly<Record<string, string>>,
): Promise<Record<string, Difference>> {
  const folder = await exportSpark(lake, asked);
  const count = async (sql: string) => Number((await rowsOf(duck, `SELECT count(*) FROM (${sql})`))[0]?.[0]);
  const found: Record<string, Difference> = {};
  for (const [table, columns] of Object.entries(asked)) {
    const [theirs, mine] = [
      `FROM read_parquet(${quoted(`${folder}/${table}/*.parquet`)})`,
      `SELECT ${columns} FROM ${table}`,
    ];
    const onlyIn: [number, number] = [
      await count(`${theirs} EXCEPT ALL ${mine}`),
      await count(`${mine} EXCEPT ALL ${theirs}`),
    ];
    found[table] = { rows: await count(theirs), onlyIn };
  }
  return found;
}

export const ALL_COLUMNS = [...Object.keys(LAYOUT.fields), "dt"].join(", ");
