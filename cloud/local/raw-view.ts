/** The raw objects as the conversion's texts want them: the views `raw_readings` and `raw_gateways`, every column a string. */

import { LAYOUT, rawReadingColumns } from "../layout.ts";
import { conversionText } from "../sql/read.ts";
import { type Duck, quoted } from "./duck.ts";

/** Where a raw object is read from. */
export interface RawSource {
  path: string;
  /** A tidy copy (tidy.ts), which has the columns is_json, raw_object and raw_line itself. */
  tidied: boolean;
}

export interface RawView {
  /** The raw objects' folder. */
  root: string;
  sources: readonly RawSource[];
  /**
   * True for objects seen the first time: what should be a text and isn't a JSON string is NULL, so its line is a reject and
   * its object read from a tidy copy from then on. Others hold none such, and reading them without looking is quicker.
   */
  unseen?: boolean;
}

/** What a line that is a reading may say, and what a gateway's status line says. */
export const READING_COLUMNS = rawReadingColumns().map(({ name }) => name);
export const STATUS_COLUMNS = ["kind", ...Object.keys(LAYOUT.statusFields)];
/** The columns a tidy copy has beside those. */
export const TIDY_COLUMNS = ["is_json", "raw_object", "raw_line"] as const;

/** Registers `raw_readings` over the sources, and `checked_readings` and `curated_readings` over it. */
export async function viewRaw(duck: Duck, view: RawView): Promise<void> {
  const looked = (name: string) => view.unseen === true && isText(name, "reading");
  await duck.run(`CREATE OR REPLACE TEMP VIEW raw_readings AS ${selectOf(view, READING_COLUMNS, looked)}`);
  await duck.run(`CREATE OR REPLACE TEMP VIEW checked_readings AS ${conversionText("check")}`);
  await duck.run(`CREATE OR REPLACE TEMP VIEW curated_readings AS ${conversionText("curate")}`);
}

/** Registers `raw_gateways` over the sources: the gateways' status lines. */
export async function viewGateways(duck: Duck, view: RawView): Promise<void> {
  const select = selectOf(view, STATUS_COLUMNS, (name) => isText(name, "gateway"));
  await duck.run(
    `CREATE OR REPLACE TEMP VIEW raw_gateways AS SELECT * FROM (${select}) WHERE kind = 'gateway' AND is_json = 'true'`,
  );
}

/** Whether a column of such a line takes JSON strings only; the others take numbers and truth values too. */
export function isText(name: string, line: "reading" | "gateway"): boolean {
  const type = (line === "gateway" ? LAYOUT.statusFields : LAYOUT.fields)[name];
  return type === "string" || type === "timestamp";
}

function selectOf(
  { root, sources }: RawView,
  columns: readonly string[],
  looked: (name: string) => boolean,
): string {
  const all = [...columns, ...TIDY_COLUMNS];
  const paths = (tidied: boolean) =>
    sources.filter((source) => source.tidied === tidied).map(({ path }) => path);
  const [clean, copies] = [paths(false), paths(true)];
  const parts: string[] = [];
  if (clean.length > 0) {
    const fields = columns.map((name) => (looked(name) ? `${textOf(name)} AS ${name}` : name));
    const types = columns.map((name) => `${name}: '${looked(name) ? "JSON" : "VARCHAR"}'`);
    // What follows the root in the file's name is the object's key.
    const added = `'true' AS is_json, substr(raw_file, ${root.length + 2}) AS raw_object, NULL::VARCHAR AS raw_line`;
    parts.push(`SELECT ${fields.join(", ")}, ${added} FROM ${readJson(clean, types)}`);
  }
  if (copies.length > 0) {
    const types = all.map((name) => `${name}: 'VARCHAR'`);
    parts.push(`SELECT ${all.join(", ")} FROM ${readJson(copies, types)}`);
  }
  const nothing = `SELECT ${all.map((name) => `NULL::VARCHAR AS ${name}`).join(", ")} WHERE false`;
  return parts.length > 0 ? parts.join(" UNION ALL ") : nothing;
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
