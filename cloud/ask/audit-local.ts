/**
 * Did everything arrive? Counted anew from the raw objects and the table, trusting neither catalog nor counters: the named
 * query `delivery-gaps` over what the objects hold, and the table against what the conversion makes of them.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../../agent/errors.ts";
import { Catalog, tableFiles } from "../local/catalog.ts";
import { Duck } from "../local/duck.ts";
import { RawStore } from "../local/raw-store.ts";
import { type RawSource, viewGateways, viewRaw } from "../local/raw-view.ts";
import { viewTable } from "../local/tables.ts";
import { tidy } from "../local/tidy.ts";
import { conversionText } from "../sql/read.ts";

const Count = z.coerce.number();
const Counts = z.object({ delivered: Count, rejects: Count });
const Table = z.object({
  /** Rows of the table. */
  rows: Count,
  /** Rows beyond those the conversion makes of the raw objects. */
  doubled: Count,
  /** Readings in the raw objects that the table lacks. */
  missing: Count,
  /** Rows that no raw object explains. */
  unexplained: Count,
});

export interface LocalAudit<T> {
  /** The answer of `delivery-gaps`. */
  gaps: T[];
  /** Lines of raw objects that are readings, and lines that are neither readings nor states. */
  delivered: number;
  rejects: number;
  lake: z.infer<typeof Table>;
}

/** Audits the raw objects below `rawRoot` and the lake at `lakeRoot`. @param gapsSql the named query, whose rows are `row` */
export async function auditLake<T>(
  rawRoot: string,
  lakeRoot: string,
  gapsSql: string,
  row: z.ZodType<T>,
): Promise<LocalAudit<T>> {
  const raw = new RawStore(rawRoot);
  const objects = await raw.list();
  if (objects.length === 0) {
    throw new Fault("audit.empty", `there are no raw objects in ${rawRoot} yet`, {
      hint: "npm start makes some; --data names another folder",
    });
  }
  // Outside the lake, which is only read: whoever audits it may not be allowed to write there.
  const temporary = await mkdtemp(join(tmpdir(), "windfarm-audit-"));
  const duck = new Duck({ temporaryFolder: temporary });
  await duck.start();
  try {
    const view = { root: rawRoot, sources: await sourcesOf(raw, objects, lakeRoot, temporary) };
    await viewRaw(duck, view);
    await viewGateways(duck, view);
    await viewTable(duck.connection, tableFiles(lakeRoot) ?? []);
    for (const table of ["deliveries", "gateways"] as const) {
      await duck.run(`CREATE TEMP TABLE ${table} AS ${conversionText(table)}`);
    }
    const [counts = { delivered: 0, rejects: 0 }] = await duck.rows(COUNTS, Counts);
    const [lake = { rows: 0, doubled: 0, missing: 0, unexplained: 0 }] = await duck.rows(TABLE, Table);
    return { gaps: await duck.rows(gapsSql, row), ...counts, lake };
  } finally {
    duck.stop();
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Objects as the catalog knows them; of one that is damaged, or that it has not seen yet, a tidy copy for this audit. */
async function sourcesOf(
  raw: RawStore,
  objects: readonly string[],
  lakeRoot: string,
  temporary: string,
): Promise<RawSource[]> {
  const catalog = Catalog.read(lakeRoot);
  const doubtful = new Set([...(catalog?.damaged() ?? []), ...(catalog?.unread(objects) ?? objects)]);
  catalog?.close();
  const sources: RawSource[] = [];
  for (const object of objects) {
    const source = { path: raw.path(object), tidied: doubtful.has(object) };
    if (source.tidied) {
      source.path = join(temporary, object);
      await tidy(object, raw.path(object), source.path);
    }
    sources.push(source);
  }
  return sources;
}

const COUNTS = `
SELECT count(*) FILTER (reason IS NULL) AS delivered, count(*) FILTER (reason IS NOT NULL) AS rejects
FROM checked_readings`;

const SAID = "gateway, turbine, type, id, date, data, day";
const TABLE = `
WITH due AS (SELECT ${SAID}, count(*) AS n FROM curated_readings GROUP BY ALL),
  kept AS (SELECT ${SAID}, count(*) AS n FROM readings GROUP BY ALL)
SELECT
  coalesce(sum(kept.n), 0) AS rows,
  coalesce(sum(greatest(kept.n - due.n, 0)), 0) AS doubled,
  coalesce(sum(greatest(due.n - coalesce(kept.n, 0), 0)), 0) AS missing,
  coalesce(sum(kept.n) FILTER (due.n IS NULL), 0) AS unexplained
FROM due FULL JOIN kept ON due.gateway = kept.gateway AND due.turbine = kept.turbine AND due.type = kept.type
  AND due.id = kept.id AND due.date = kept.date AND due.data = kept.data AND due.day IS NOT DISTINCT FROM kept.day`;
