/** The files that the cloud gets as they are: the job's script, its SQL, the queries that analysts find by name. */

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

export interface Sources {
  /** The Glue job. */
  script: string;
  /** The folder of the conversion's texts. */
  sql: string;
  /** The folder of the named queries. */
  queries: string;
}

/** Where they lie in a checkout. */
export function sourcesIn(root: string): Sources {
  return {
    script: join(root, "cloud/jobs/curate.py"),
    sql: join(root, "cloud/sql"),
    queries: join(root, "cloud/sql/queries"),
  };
}

export interface NamedQuery {
  name: string;
  /** The comment at its head, as one text. */
  description: string;
  sql: string;
}

/** The named queries of a folder, by name. */
export function readNamedQueries(folder: string): NamedQuery[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".sql"));
  return files.sort().map((file) => {
    const sql = readFileSync(join(folder, file), "utf8");
    return { name: basename(file, ".sql"), description: headComment(sql), sql };
  });
}

function headComment(sql: string): string {
  const lines: string[] = [];
  for (const line of sql.split("\n")) {
    if (!line.startsWith("--")) break;
    lines.push(line.slice(2).trim());
  }
  return lines.join(" ").trim();
}
