/** Tables of a test's own, asked by DuckDB: for the texts that need no lake round them. */

import { DuckDBInstance } from "@duckdb/node-api";
import { LAYOUT } from "../../../cloud/layout.ts";
import { namedQueries } from "../../../cloud/sql/read.ts";
import { askedAt } from "./moment.ts";

type Row = Readonly<Record<string, string | number | boolean | null>>;
export type Tables = Readonly<Record<"deliveries" | "gateways" | "readings", readonly Row[]>>;

const TYPES: Readonly<Record<string, string>> = { string: "VARCHAR" };
const typed = (fields: Readonly<Record<string, string>>) =>
  Object.entries(fields)
    .map(([name, type]) => `${name} ${TYPES[type] ?? type}`)
    .join(", ");
const COLUMNS = {
  deliveries:
    "object VARCHAR, gateway VARCHAR, epoch VARCHAR, first BIGINT, last BIGINT, lines BIGINT, dup BIGINT",
  gateways: `${typed(LAYOUT.statusFields)}, arrived TIMESTAMP, object VARCHAR`,
  readings: `${typed(LAYOUT.fields)}, dt VARCHAR`,
};

/** The rows of a named query asked at `moment` over `tables`; numbers as JavaScript's own. */
export async function askNamed(name: string, tables: Tables, moment = "2026-11-22 12:00:00") {
  const sql = namedQueries().find((query) => query.name === name)?.sql ?? "";
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    for (const [table, columns] of Object.entries(COLUMNS)) {
      await connection.run(`CREATE TABLE ${table} (${columns})`);
    }
    for (const [table, rows] of Object.entries(tables)) {
      for (const row of rows) {
        const values = Object.values(row).map((value) => (typeof value === "string" ? `'${value}'` : value));
        await connection.run(`INSERT INTO ${table} (${Object.keys(row)}) VALUES (${values.map(String)})`);
      }
    }
    const answer = await connection.runAndReadAll(askedAt(sql, moment));
    return answer
      .getRowObjectsJS()
      .map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([key, value]) => [key, typeof value === "bigint" ? Number(value) : value]),
        ),
      );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
