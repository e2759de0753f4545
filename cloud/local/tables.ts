/** The lake's tables in the engine: `readings` from its files, the others from rows of JSON. */

import type { DuckDBConnection } from "@duckdb/node-api";
import { curatedColumns, dayColumn, LAYOUT } from "../layout.ts";
import { TOLD, type Told } from "./catalog.ts";
import { quoted } from "./duck.ts";

/** The columns of `readings`. */
export const TABLE_COLUMNS = [...curatedColumns(), dayColumn()];

const STATUS = Object.entries(LAYOUT.statusFields).map(([name, type]): [string, string] => [
  name,
  typeOf(type),
]);
/** The others' columns with DuckDB's types. */
const TOLD_COLUMNS: Readonly<Record<Told, readonly (readonly [name: string, type: string])[]>> = {
  deliveries: [
    ["object", "VARCHAR"],
    ["gateway", "VARCHAR"],
    ["epoch", "VARCHAR"],
    ["first", "BIGINT"],
    ["last", "BIGINT"],
    ["lines", "BIGINT"],
    ["dup", "BIGINT"],
    ["conversion", "VARCHAR"],
    ["loaded", "TIMESTAMP"],
  ],
  gateways: [...STATUS, ["arrived", "TIMESTAMP"], ["object", "VARCHAR"]],
  rejects: [
    ["reason", "VARCHAR"],
    ["object", "VARCHAR"],
    ["line", "VARCHAR"],
  ],
};
/** Rows of JSON given to the engine at once. */
const BATCH_ROWS = 10_000;

/** Registers `readings` over the table's files. */
export async function viewTable(connection: DuckDBConnection, files: readonly string[]): Promise<void> {
  const names = TABLE_COLUMNS.map(({ name }) => name).join(", ");
  const nothing = `SELECT ${TABLE_COLUMNS.map(({ name, duckdb }) => `NULL::${duckdb} AS ${name}`).join(", ")} WHERE false`;
  const rows = `SELECT ${names} FROM read_parquet([${files.map(quoted).join(", ")}], hive_partitioning = false)`;
  await connection.run(`CREATE VIEW ${LAYOUT.table} AS ${files.length > 0 ? rows : nothing}`);
}

/** The tables besides `readings` that a query names. */
export function toldIn(sql: string): Told[] {
  return TOLD.filter((table) => new RegExp(`\\b${table}\\b`, "i").test(sql));
}

/** Makes a table of rows of JSON. */
export async function fillTold(
  connection: DuckDBConnection,
  table: Told,
  rows: readonly string[],
): Promise<void> {
  const columns = TOLD_COLUMNS[table];
  await connection.run(
    `CREATE TABLE ${table} (${columns.map(([name, type]) => `${name} ${type}`).join(", ")})`,
  );
  const shape = JSON.stringify([Object.fromEntries(columns)]);
  for (let from = 0; from < rows.length; from += BATCH_ROWS) {
    await connection.run(
      `INSERT INTO ${table} BY NAME SELECT unnest(from_json($rows::JSON, ${quoted(shape)}), recursive := true)`,
      { rows: `[${rows.slice(from, from + BATCH_ROWS).join(",")}]` },
    );
  }
}

function typeOf(type: string): string {
  return type === "string" ? "VARCHAR" : type.toUpperCase();
}
