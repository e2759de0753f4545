/** Asks the lake through the query program, as a user would. */

import { execFile } from "node:child_process";
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import type { TypeRow } from "./accounts.ts";
import type { Plan } from "./plan.ts";

const SQL = "SELECT type, count(*) AS n, avg(data) AS mean FROM readings GROUP BY type ORDER BY type";
const TIMEOUT_MS = 60_000;

const Rows = z.array(z.object({ type: z.string(), n: z.coerce.number(), mean: z.number() }));

/** Relative where it is inside the working folder. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") || isAbsolute(short) ? path : short;
}

/** What one types to ask this lake. */
export function queryCommand({ cloudFolder }: Plan): string {
  const folder = shortPath(cloudFolder);
  return folder === "data/cloud" ? "npm run query --" : `npm run query -- --data ${folder}`;
}

/** Rows and mean of each type in the whole lake; none where it can't be asked. */
export async function countTypes({ cloudFolder }: Plan): Promise<TypeRow[]> {
  const program = fileURLToPath(new URL("query.js", import.meta.url));
  try {
    const args = [program, SQL, "--format", "json", "--data", cloudFolder];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS });
    return Rows.parse(JSON.parse(stdout));
  } catch {
    return [];
  }
}
