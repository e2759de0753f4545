/** The raw objects as the conversion's texts want them: the view `raw_readings`, every column a string. */

import { LAYOUT, type Layout, rawReadingColumns } from "../layout.ts";
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
  /**
   * True for objects seen the first time: what should be a text and isn't a JSON string is NULL, so its line is a reject and
   * its object read from a tidy copy from then on. Others hold none such, and reading them without looking is quicker.
   */
  unseen?: boolean;
}

/** Registers `raw_readings` over the sources, and `checked_readings` and `curated_readings` over it. */
export async function viewRaw(duck: Duck, view: RawView): Promise<void> {
  const { root, sources, layout = LAYOUT, unseen = false } = view;
  const contract = rawReadingColumns(layout).map(({ name }) => name);
  const all = [...contract, ...TIDY_COLUMNS];
  const clean = sources.filter(({ tidied }) => !tidied).map(({ path }) => path);
  const tidied = sources.filter((source) => source.tidied).map(({ path }) => path);
  const parts: string[] = [];
  if (clean.length > 0) {
    // What follows the root in the file's name is the object's key.
    const object = `substr(raw_file, ${root.length + 2}) AS raw_object`;
    const looked = (name: string) => unseen && isText(name, layout);
    const fields = contract.map((name) => (looked(name) ? `${textOf(name)} AS ${name}` : name)).join(", ");
    const types = contract.map((name) => `${name}: '${looked(name) ? "JSON" : "VARCHAR"}'`);
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

/** Whether a column takes JSON strings only; the others take numbers too. */
export function isText(name: string, layout: Layout): boolean {
  const type = layout.fields[name];
  return type === "string" || type === "timestamp";
}

/** The text of a JSON string, NULL of any other value. */
function textOf(name: string): string {
  return `CASE WHEN ${name} LIKE '"%' THEN ${name} ->> '$' END`;
}

function readJson(paths: readonly string[], types: readonly string[]): string {
  return (
    `read_json([${paths.map(quoted).join(", ")}], format = 'newline_delimited', compression = 'gzip', ` +
    `columns = {${types.join(", ")}}, filename = 'raw_file')`
  );
}
