/** Athena's place: one SELECT over the lake as the catalog describes it, reading only, whether the cloud runs or not. */

import { resolve } from "node:path";
import { DuckDBInstance, StatementType } from "@duckdb/node-api";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";
import { curatedColumns, dayColumn, LAYOUT, type Layout } from "../layout.ts";
import { type CatalogFile, readCatalog } from "./catalog.ts";
import { quoted } from "./duck.ts";
import { syntaxFault } from "./sql-fault.ts";

export interface QueryResult {
  columns: { name: string; type: string }[];
  /** Values as JavaScript has them: bigint for BIGINT, Date for timestamps, `2026-11-22` for days. */
  rows: unknown[][];
}

/** Runs one SELECT over `readings`, which is also called `windfarm.readings`. @param root the lake's folder */
export async function queryLake(root: string, sql: string, layout: Layout = LAYOUT): Promise<QueryResult> {
  const folder = resolve(root);
  const catalog = await existingCatalog(folder);
  try {
    return await run(folder, catalog, sql, layout);
  } catch (error) {
    // A version is deleted some time after it was replaced: whoever was slower looks at the catalog again.
    const again = await existingCatalog(folder);
    if (
      !/No files found|Cannot open file|No such file/.test(messageOf(error)) ||
      again.updated === catalog.updated
    ) {
      throw error;
    }
    return run(folder, again, sql, layout);
  }
}

async function existingCatalog(root: string): Promise<CatalogFile> {
  const catalog = await readCatalog(root);
  if (catalog !== undefined) return catalog;
  throw new Fault("lake.none", `there is no lake in ${root} yet`, {
    hint: "npm start or npm run cloud makes one as readings arrive; --data names another folder",
  });
}

async function run(root: string, catalog: CatalogFile, sql: string, layout: Layout): Promise<QueryResult> {
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "true",
  });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(`SET allowed_directories = [${quoted(`${root}/`)}]`);
    await connection.run("SET enable_external_access = false");
    const { database, table } = layout;
    await connection.run(`CREATE SCHEMA ${database}`);
    const view = viewOf(root, catalog, layout);
    await connection.run(`CREATE VIEW ${database}.${table} AS ${view}`);
    await connection.run(`CREATE VIEW ${table} AS ${view}`);
    await connection.run("SET lock_configuration = true");
    return await select(connection, sql, layout);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

type Connection = Awaited<ReturnType<DuckDBInstance["connect"]>>;

async function select(connection: Connection, sql: string, layout: Layout): Promise<QueryResult> {
  if (sql.replace(/--.*|\/\*[\s\S]*?\*\/|[\s;]/g, "") === "") {
    throw refused("the query is empty", 'give one SELECT, such as "SELECT count(*) FROM readings"');
  }
  const statements = await connection.extractStatements(sql).catch((error: unknown) => {
    throw syntaxFault(sql, error, layout);
  });
  if (statements.count > 1)
    throw refused("the query holds more than one statement", "give one SELECT at a time");
  try {
    const prepared = await statements.prepare(0);
    if (prepared.statementType !== StatementType.SELECT && prepared.statementType !== StatementType.EXPLAIN) {
      throw refused(
        "only SELECT is answered here: the lake is read-only",
        "start the query with SELECT or WITH",
      );
    }
    const answer = await prepared.runAndReadAll();
    const types = answer.columnTypes();
    const columns = answer.columnNames().map((name, index) => ({ name, type: String(types[index]) }));
    const days = columns.map(({ type }) => type === "DATE");
    return {
      columns,
      rows: answer.getRowsJS().map((row) => row.map((value, at) => (days[at] ? day(value) : value))),
    };
  } catch (error) {
    throw error instanceof Fault ? error : syntaxFault(sql, error, layout);
  }
}

/** A DATE has no hour, and is shown without one. */
function day(value: unknown): unknown {
  return value instanceof Date ? value.toISOString().slice(0, -"T00:00:00.000Z".length) : value;
}

function refused(message: string, hint: string): Fault {
  return new Fault("query.refused", message, { hint, exitCode: EXIT.usage });
}

/** The table: the current version of each day, with the day as a column, by which files are left out unread. */
function viewOf(root: string, catalog: CatalogFile, layout: Layout): string {
  const columns = [...curatedColumns(layout), dayColumn(layout)];
  const files = Object.values(catalog.days).flatMap((day) => day.files);
  if (files.length === 0) {
    const typed = columns.map(({ name, duckdb }) => `NULL::${duckdb} AS ${name}`);
    return `SELECT ${typed.join(", ")} WHERE false`;
  }
  const paths = files.map((file) => quoted(`${root}/${file}`)).join(", ");
  return (
    `SELECT ${columns.map(({ name }) => name).join(", ")} FROM read_parquet([${paths}], hive_partitioning = true, ` +
    `hive_types = {${layout.dayKey}: VARCHAR, ${layout.versionKey}: VARCHAR})`
  );
}
