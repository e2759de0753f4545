/** Athena's place: one SELECT over the lake as the catalog describes it, reading only, whether the cloud runs or not. */

import { accessSync } from "node:fs";
import { resolve } from "node:path";
import { DuckDBInstance, StatementType } from "@duckdb/node-api";
import { codeOf, EXIT, Fault, messageOf } from "../../agent/errors.ts";
import { LAYOUT } from "../layout.ts";
import { Catalog, tableFiles } from "./catalog.ts";
import { quoted } from "./duck.ts";
import { syntaxFault } from "./sql-fault.ts";
import { fillTold, toldIn, viewTable } from "./tables.ts";

export interface QueryResult {
  columns: { name: string; type: string }[];
  /** Values as JavaScript has them: bigint for BIGINT, Date for timestamps, `2026-11-22` for days. */
  rows: unknown[][];
}

/** Runs one SELECT over the lake's tables, each by its name alone or with the database's. @param root the lake's folder */
export async function queryLake(root: string, sql: string): Promise<QueryResult> {
  const folder = resolve(root);
  const files = existingFiles(folder);
  try {
    return await run(folder, files, sql);
  } catch (error) {
    // A file is deleted some time after it was replaced: whoever was slower looks at the catalog again.
    const again = existingFiles(folder);
    const lost = /No files found|Cannot open file|No such file/.test(messageOf(error));
    if (!lost || again.join() === files.join()) throw error;
    return run(folder, again, sql);
  }
}

function existingFiles(root: string): string[] {
  const files = tableFiles(root);
  if (files !== undefined) return files;
  try {
    accessSync(root);
  } catch (error) {
    if (codeOf(error) === "EACCES") throw error;
  }
  throw new Fault("lake.none", `there is no lake in ${root} yet`, {
    hint: "npm start or npm run cloud makes one as readings arrive; --data names another folder",
  });
}

async function run(root: string, files: readonly string[], sql: string): Promise<QueryResult> {
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "true",
  });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(`SET allowed_directories = [${quoted(`${root}/`)}]`);
    await connection.run("SET enable_external_access = false");
    await viewTable(connection, files);
    await fillFrom(root, connection, sql);
    await connection.run(`CREATE SCHEMA ${LAYOUT.database}`);
    for (const table of [LAYOUT.table, ...toldIn(sql)]) {
      await connection.run(`CREATE VIEW ${LAYOUT.database}.${table} AS FROM main.${table}`);
    }
    await connection.run("SET lock_configuration = true");
    return await select(connection, sql);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function fillFrom(root: string, connection: Connection, sql: string): Promise<void> {
  const catalog = Catalog.read(root);
  try {
    for (const table of toldIn(sql)) await fillTold(connection, table, catalog?.told(table) ?? []);
  } finally {
    catalog?.close();
  }
}

type Connection = Awaited<ReturnType<DuckDBInstance["connect"]>>;

async function select(connection: Connection, sql: string): Promise<QueryResult> {
  if (sql.replace(/--.*|\/\*[\s\S]*?\*\/|[\s;]/g, "") === "") {
    throw refused("the query is empty", 'give one SELECT, such as "SELECT count(*) FROM readings"');
  }
  const statements = await connection.extractStatements(sql).catch((error: unknown) => {
    throw syntaxFault(sql, error);
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
    throw error instanceof Fault ? error : syntaxFault(sql, error);
  }
}

/** A DATE has no hour, and is shown without one. */
function day(value: unknown): unknown {
  return value instanceof Date ? value.toISOString().slice(0, -"T00:00:00.000Z".length) : value;
}

function refused(message: string, hint: string): Fault {
  return new Fault("query.refused", message, { hint, exitCode: EXIT.usage });
}
