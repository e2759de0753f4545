/** The SQL files, found beside package.json, for they are read as files and never bundled. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../../agent/errors.ts";
import { withRanges } from "./ranges.ts";

/** The texts of the conversion, in the order they build on one another. */
export type ConversionText = "check" | "curate" | "deliveries" | "gateways" | "rejects";

export interface NamedQuery {
  /** The file's name without `.sql`. */
  name: string;
  /** The first sentence of its comment. */
  title: string;
  /** The whole comment, without the dashes. */
  description: string;
  /** The whole file. */
  sql: string;
}

/** The folder of the conversion and the named queries. */
export function sqlFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new Fault("sql.missing", "the folder cloud/sql is not beside the program", {
        hint: "run it from a checkout of the repository",
      });
    }
    folder = parent;
  }
  return join(folder, "cloud", "sql");
}

/** One text of the conversion. */
export function conversionText(name: ConversionText, folder: string = sqlFolder()): string {
  return readFileSync(join(folder, `${name}.sql`), "utf8");
}

/**
 * How raw lines become what check.sql reads: only a JSON string is a text, a number may be either, and what is longer than
 * MAX_LINE_BYTES is no line. tidy.ts and the job's raw.py do it alike; whoever changes it in both counts on in both (LINE_RULES), and every object is read again.
 */
export const LINE_RULES = 4;

/**
 * Names what raw lines become: other texts or other rules give another name, other comments the same. What was made by
 * another conversion is made again. The job computes the same (engine.py).
 */
export function conversionId(folder: string = sqlFolder()): string {
  const hash = createHash("sha256").update(`lines ${LINE_RULES}\n`);
  for (const name of ["check", "curate"] as const) {
    const lines = conversionText(name, folder).split("\n");
    for (const line of lines) if (!/^\s*(--|$)/.test(line)) hash.update(`${line}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The condition by which each named query reads the last seven days of the table: what to put another one in place of. */
export const LAST_DAYS =
  "dt >= TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) - INTERVAL '7' DAY AS date) AS varchar(10))";

/** The named queries, by name. */
export function namedQueries(folder: string = sqlFolder()): NamedQuery[] {
  return queriesIn(join(folder, "queries"));
}

/** Those on the raw table, which only the cloud has. */
export function rawQueries(folder: string = sqlFolder()): NamedQuery[] {
  return queriesIn(join(folder, "queries", "raw"));
}

function queriesIn(queries: string): NamedQuery[] {
  const files = readdirSync(queries).filter((file) => file.endsWith(".sql"));
  return files.sort().map((file) => {
    return namedQuery(file.slice(0, -".sql".length), readFileSync(join(queries, file), "utf8"));
  });
}

function namedQuery(name: string, text: string): NamedQuery {
  const sql = withRanges(text);
  const comment = sql.split("\n").filter((line) => line.startsWith("--"));
  const description = comment.map((line) => line.slice(2).trim()).join("\n");
  const paragraph = description.split("\n\n", 1)[0] ?? "";
  const title = paragraph.replaceAll("\n", " ").split(/(?<=\.)\s/, 1)[0] ?? name;
  return { name, title, description, sql };
}
