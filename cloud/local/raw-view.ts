/** The raw objects as the conversion's texts want them: the view `raw_readings`, every column a string. */

import { LAYOUT, rawColumns } from "../layout.ts";
import { conversionText } from "../sql/read.ts";
import { type Duck, quoted } from "./duck.ts";

/** Where a raw object is read from. */
export interface RawSource {
  path: string;
  /** A tidy copy (tidy.ts), which has the columns is_json, raw_object and raw_line itself. */
  tidied: boolean;
}

/** The columns a tidy copy has beside the contract's. */
export const TIDY_COLUMNS = ["is_json", "raw_object", "raw_line"] as const;

/** Registers `raw_readings` over `sources`, and `checked_readings` and `curated_readings` over it. */
export async function viewRaw(duck: Duck, root: string, sources: readonly RawSource[]): Promise<void> {
  const contract = rawColumns(LAYOUT).map(({ name }) => name);
  const all = [...contract, ...TIDY_COLUMNS];
  const clean = sources.filter(({ tidied }) => !tidied).map(({ path }) => path);
  const tidied = sources.filter((source) => source.tidied).map(({ path }) => path);
  const parts: string[] = [];
  if (clean.length > 0) {
    // What follows the root in the file's name is the object's key.
    const object = `substr(raw_file, ${root.length + 2}) AS raw_object`;
    const fields = contract.join(", ");
    parts.push(
      `SELECT ${fields}, 'true' AS is_json, ${object}, NULL::VARCHAR AS raw_line FROM ${readJson(clean, contract)}`,
    );
  }
  if (tidied.length > 0) parts.push(`SELECT ${all.join(", ")} FROM ${readJson(tidied, all)}`);
  if (parts.length === 0)
    parts.push(`SELECT ${all.map((name) => `NULL::VARCHAR AS ${name}`).join(", ")} WHERE false`);
  await duck.run(`CREATE OR REPLACE TEMP VIEW raw_readings AS ${parts.join(" UNION ALL ")}`);
  await duck.run(`CREATE OR REPLACE TEMP VIEW checked_readings AS ${conversionText("check")}`);
  await duck.run(`CREATE OR REPLACE TEMP VIEW curated_readings AS ${conversionText("curate")}`);
}

function readJson(paths: readonly string[], columns: readonly string[]): string {
  const types = columns.map((name) => `${name}: 'VARCHAR'`).join(", ");
  return (
    `read_json([${paths.map(quoted).join(", ")}], format = 'newline_delimited', compression = 'gzip', ` +
    `columns = {${types}}, filename = 'raw_file')`
  );
}
