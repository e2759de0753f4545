/** The SQL files, found beside package.json, for they are read as they stand and never bundled. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../../agent/errors.ts";

/** The texts of the conversion, in the order they build on one another. */
export type ConversionText = "check" | "curate" | "rejects";

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

/** The named queries, by name. */
export function namedQueries(folder: string = sqlFolder()): NamedQuery[] {
  const queries = join(folder, "queries");
  const files = readdirSync(queries).filter((file) => file.endsWith(".sql"));
  return files.sort().map((file) => namedQuery(file.slice(0, -4), readFileSync(join(queries, file), "utf8")));
}

function namedQuery(name: string, sql: string): NamedQuery {
  const comment = sql.split("\n").filter((line) => line.startsWith("--"));
  const description = comment.map((line) => line.slice(2).trim()).join("\n");
  const paragraph = description.split("\n\n", 1)[0] ?? "";
  const title = paragraph.replaceAll("\n", " ").split(/(?<=\.)\s/, 1)[0] ?? name;
  return { name, title, description, sql };
}
