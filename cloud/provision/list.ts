/**
 * The gateways of one order: one by name, or many from a CSV file:
 *
 *   gateway,site
 *   gw-01,north
 *   gw-02,
 *
 * A list with anything wrong in it is refused as a whole, before anything is asked of AWS.
 */

import { readFile } from "node:fs/promises";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";

export interface Listed {
  gateway: string;
  site: string;
}

/** Thing names know no point, unlike the agent's gateway ids; the two are the same, so a gateway's name keeps to both. */
const GATEWAY_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
/** What a thing's attribute takes. */
const SITE = /^[a-zA-Z0-9_.,@/:#-]{1,64}$/;
export const MAX_GATEWAYS = 10_000;

/** Why this can't be a gateway and its site, or undefined. */
export function unfit({ gateway, site }: Listed): string | undefined {
  if (!GATEWAY_NAME.test(gateway))
    return `"${gateway}" can't be a gateway's name: letters, digits, _ and -, at most 64`;
  if (!SITE.test(site)) return `"${site}" can't be a site: letters, digits and _.,@/:#-, at most 64`;
  return undefined;
}

/** The gateways a CSV file lists; `site` for those whose line has none. Throws a Fault that names the first wrong line. */
export async function readList(file: string, site: string): Promise<Listed[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new Fault("provision.list", `can't read the list ${file}: ${messageOf(error)}`, {
      hint: "Name a CSV file with --gateways; its first line is gateway,site.",
      exitCode: EXIT.usage,
      cause: error,
    });
  }
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  const rows = lines.map((line, index) => ({ line: index + 1, cells: cellsOf(line) }));
  const [header, ...others] = rows.filter(({ cells }) => cells.some((cell) => cell !== ""));
  const columns = header?.cells.map((cell) => cell.toLowerCase()).join(",");
  if (header === undefined || (columns !== "gateway" && columns !== "gateway,site"))
    throw wrong(file, header?.line ?? 1, `the first line must be "gateway" or "gateway,site"`);
  const lineOf = new Map<string, number>();
  const listed = others.map(({ line, cells }) => {
    if (cells.length > header.cells.length)
      throw wrong(file, line, `${cells.length} columns, the first line has ${header.cells.length}`);
    const entry = { gateway: cells[0] ?? "", site: cells[1] || site };
    const why = unfit(entry);
    if (why !== undefined) throw wrong(file, line, why);
    const before = lineOf.get(entry.gateway);
    if (before !== undefined)
      throw wrong(file, line, `${entry.gateway} stands in line ${before} already; each gateway once`);
    lineOf.set(entry.gateway, line);
    return entry;
  });
  if (listed.length === 0) throw wrong(file, header.line, "no gateway follows");
  if (listed.length > MAX_GATEWAYS)
    throw wrong(file, header.line, `${listed.length} gateways follow, at most ${MAX_GATEWAYS} go at once`);
  return listed;
}

/** Cells between commas, without outer blanks; one in quotes may hold commas. */
function cellsOf(line: string): string[] {
  const found = line.match(/(?<=^|,)\s*("[^"]*"|[^",]*)\s*(?=,|$)/g) ?? [];
  // A quote without its other: the line is nothing that could be taken apart.
  const cells = found.join(",") === line ? found : [line];
  return cells.map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
}

function wrong(file: string, line: number, why: string): Fault {
  return new Fault("provision.list", `${file}:${line}: ${why}`, {
    hint: "Correct the list and run the command again; nothing was changed.",
  });
}
