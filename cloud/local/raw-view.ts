/** The raw objects as the conversion's texts want them: the view `raw_readings`, every column a string. */

import { LAYOUT, type Layout } from "../layout.ts";
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

export interface RawView {
  /** The raw objects' folder. */
  root: string;
  sources: readonly RawSource[];
  layout?: Layout;
}

/** Registers `raw_readings` over the sources, and `checked_readings` and `curated_readings` over it. */
export async function viewRaw(duck: Duck, view: RawView): Promise<void> {
  const { root, sources, layout = LAYOUT } = view;
  const contract = Object.keys(layout.fields);
  const all = [...contract, ...TIDY_COLUMNS];
  const clean = sources.filter(({ tidied }) => !tidied).map(({ path }) => path);
  const tidied = sources.filter((source) => source.tidied).map(({ path }) => path);
  const parts: string[] = [];
  if (clean.length > 0) {
    // What follows the root in the file's name is the object's key.
    const object = `substr(raw_file, ${root.length + 2}) AS raw_object`;
    const fields = contract.join(", ");
    const types = contract.map((name) => `${name}: 'VARCHAR'`);
    parts.push(
      `SELECT ${fields}, 'true' AS is_json, ${object}, NULL::VARCHAR AS raw_line FROM ${readJson(clean, types)}`,
    );
  }
  if (tidied.length > 0) {
    const types = all.map((name) => `${name}: 'VARCHAR'`);
    parts.push(`SELECT ${all.join(", ")} FROM ${readJson(tidied, types)}`);
  }
  if (parts.length === 0)
    parts.push(`SELECT ${all.map((name) => `NULL::VARCHAR AS ${name}`).join(", ")} WHERE false`);
  await duck.run(`CREATE OR REPLACE TEMP VIEW raw_readings AS ${parts.join(" UNION ALL ")}`);
  await duck.run(`CREATE OR REPLACE TEMP VIEW checked_readings AS ${conversionText("check", layout)}`);
  await duck.run(`CREATE OR REPLACE TEMP VIEW curated_readings AS ${conversionText("curate", layout)}`);
}

function readJson(paths: readonly string[], types: readonly string[]): string {
  return (
    `read_json([${paths.map(quoted).join(", ")}], format = 'newline_delimited', compression = 'gzip', ` +
    `columns = {${types.join(", ")}}, filename = 'raw_file')`
  );
}
