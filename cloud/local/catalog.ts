/**
 * The Data Catalog's place: one file that says which version of each day is the table.
 *
 * A day is replaced by replacing this file, in one rename: a reader sees the old day or the new one, never none or both.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { codeOf, Fault } from "../../agent/errors.ts";
import { LAYOUT, type Layout } from "../layout.ts";
import { writeDurably } from "./durable-files.ts";

export const CATALOG_FILE = "catalog.json";

const Count = z.number().int().nonnegative();
const Day = z.object({
  version: z.string(),
  /** Parquet files, relative to the lake's folder. */
  files: z.array(z.string()),
  rows: Count,
  bytes: Count,
  /** What it was made from: raw objects, and readings in them with duplicates. */
  objects: Count,
  readings: Count,
  /** What made it of them (conversionId). */
  conversion: z.string().default(""),
});
const Catalog = z.object({ table: z.string(), updated: z.string(), days: z.record(z.string(), Day) });

export type CatalogDay = z.infer<typeof Day>;
export type CatalogFile = z.infer<typeof Catalog>;

/** The catalog of the lake at `root`, or undefined where there is none yet. */
export async function readCatalog(root: string): Promise<CatalogFile | undefined> {
  const path = join(root, CATALOG_FILE);
  try {
    return Catalog.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new Fault("lake.catalog", `${path} is not a catalog of the lake`, {
      hint: "delete it: the local cloud makes it again from the raw objects when it starts",
      cause: error,
    });
  }
}

/** Puts `days` in the catalog's place; the new catalog. */
export async function replaceDays(
  root: string,
  before: CatalogFile | undefined,
  days: Readonly<Record<string, CatalogDay>>,
  nowMs: number,
  layout: Layout = LAYOUT,
): Promise<CatalogFile> {
  const catalog = {
    table: `${layout.database}.${layout.table}`,
    updated: new Date(nowMs).toISOString(),
    days: { ...before?.days, ...days },
  };
  await writeDurably(join(root, CATALOG_FILE), `${JSON.stringify(catalog)}\n`);
  return catalog;
}
