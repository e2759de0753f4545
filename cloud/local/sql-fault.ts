/** The engine's complaint about a query, as one sentence with the place. */

import { Fault, messageOf } from "../../agent/errors.ts";
import { LAYOUT } from "../layout.ts";
import { TOLD } from "./catalog.ts";
import { TABLE_COLUMNS } from "./tables.ts";

/** `Parser Error: … LINE 1: SELECT x FRM readings  ^` becomes a sentence, line and column. */
export function syntaxFault(sql: string, error: unknown): Fault {
  const { database, table } = LAYOUT;
  const text = messageOf(error);
  const [, first = text] = /^(?:.*?: )?(?:[A-Z]\w+ )+Error: (.*)/.exec(text) ?? [];
  const sentence = first.split("\n")[0]?.replace(/[.!]\s*$/, "") ?? text;
  if (/file system operations are disabled|Permission Error/.test(text)) return outsideTheLake(error, table);
  const place = placeOf(sql, text);
  const unknownColumn = /Candidate bindings: /.test(text);
  const missing = /Table with name (\S+) does not exist/.exec(text)?.[1];
  const hint =
    missing !== undefined
      ? `the tables are ${[table, ...TOLD].join(", ")}, or ${database}.${table} and so on`
      : unknownColumn
        ? `the columns of ${table} are ${TABLE_COLUMNS.map(({ name }) => name).join(", ")}`
        : "npm run query -- --list shows queries that work";
  const said = missing === undefined ? sentence : `there is no table ${missing}`;
  return new Fault("query.sql", `the query fails${place}: ${said}`, { hint, cause: error });
}

function outsideTheLake(error: unknown, table: string): Fault {
  return new Fault(
    "query.outside",
    "a query reads the lake's table and writes nothing; this one wants other files",
    {
      hint: `read from ${table}, and send the answer where it should go with --format csv > file`,
      cause: error,
    },
  );
}

/** The engine shows the line and, below it, a mark under the place. */
function placeOf(sql: string, text: string): string {
  const [, line, shown = "", mark = ""] = /^LINE (\d+): (.*)\n(\s*)\^/m.exec(text) ?? [];
  if (line === undefined) return "";
  const prefix = `LINE ${line}: `.length;
  const actual = sql.split("\n")[Number(line) - 1] ?? "";
  // A long line is shown from its middle, after three dots.
  const cut = shown.startsWith("...") ? actual.indexOf(shown.slice(3, 40)) - 3 : 0;
  return ` at line ${line}, column ${mark.length - prefix + cut + 1}`;
}
