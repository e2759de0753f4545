/**
 * Did everything arrive? Counted anew from the raw objects and the table, trusting neither index nor counters.
 *
 * A gateway numbers its readings without gaps within an epoch, so what is missing between 1 and the largest number seen
 * was lost or is still on its way. What a gateway has not sent at all can't be seen from here; the agent's own counters
 * tell, where it is asked too.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../../agent/errors.ts";
import { LAYOUT, type Layout } from "../layout.ts";
import { readCatalog } from "./catalog.ts";
import { Duck, quoted } from "./duck.ts";
import { ObjectIndex } from "./object-index.ts";
import type { Range } from "./range-set.ts";
import { RawStore } from "./raw-store.ts";
import { type RawSource, viewRaw } from "./raw-view.ts";
import { TIDIED_FOLDER, tidy } from "./tidy.ts";

export interface EpochAudit {
  gateway: string;
  epoch: string;
  /** The largest seq seen: as many readings as the gateway has numbered so far, or more. */
  expected: number;
  /** Different seqs that arrived. */
  arrived: number;
  /** Deliveries beyond the first of a seq. */
  duplicates: number;
  missing: number;
  /** Ranges of missing seqs, the first few. */
  gaps: Range[];
}

export interface LakeAudit {
  epochs: EpochAudit[];
  /** Lines of raw objects that are readings, and lines that are none. */
  delivered: number;
  rejects: number;
  lake: {
    rows: number;
    /** Readings in the raw objects that the table lacks. */
    missing: number;
    /** Rows of the table beyond the first of a reading. */
    doubled: number;
    /** Rows of the table that no raw object explains. */
    unexplained: number;
  };
}

/** Ranges told of an epoch at most. */
export const GAPS_TOLD = 20;

const EpochRow = z.object({
  gateway: z.string(),
  epoch: z.string(),
  expected: z.coerce.number(),
  arrived: z.coerce.number(),
  deliveries: z.coerce.number(),
});
const GapRow = z.object({
  gateway: z.string(),
  epoch: z.string(),
  first: z.coerce.number(),
  last: z.coerce.number(),
});
const CountsRow = z.object({ delivered: z.coerce.number(), rejects: z.coerce.number() });
const LakeRow = z.object({
  rows: z.coerce.number(),
  doubled: z.coerce.number(),
  missing: z.coerce.number(),
  unexplained: z.coerce.number(),
});

/** Audits the raw objects below `rawRoot` and the lake at `lakeRoot`. */
export async function auditLake(
  rawRoot: string,
  lakeRoot: string,
  layout: Layout = LAYOUT,
): Promise<LakeAudit> {
  const raw = new RawStore(rawRoot, layout);
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
    const sources = await sourcesOf(raw, objects, lakeRoot, temporary, layout);
    await viewRaw(duck, { root: rawRoot, sources, layout });
    await duck.run(
      "CREATE TEMP TABLE deliveries AS SELECT * EXCLUDE (raw_object, raw_line) FROM checked_readings",
    );
    await viewLake(duck, lakeRoot, layout);
    const [counts] = await duck.rows(COUNTS, CountsRow);
    const [lake] = await duck.rows(LAKE, LakeRow);
    return {
      epochs: await epochs(duck),
      delivered: counts?.delivered ?? 0,
      rejects: counts?.rejects ?? 0,
      lake: lake ?? { rows: 0, missing: 0, doubled: 0, unexplained: 0 },
    };
  } finally {
    duck.stop();
    await rm(temporary, { recursive: true, force: true });
  }
}

async function epochs(duck: Duck): Promise<EpochAudit[]> {
  const gaps = await duck.rows(GAPS, GapRow);
  const found = await duck.rows(EPOCHS, EpochRow);
  return found.map(({ gateway, epoch, expected, arrived, deliveries }) => ({
    gateway,
    epoch,
    expected,
    arrived,
    duplicates: deliveries - arrived,
    missing: expected - arrived,
    gaps: gaps
      .filter((gap) => gap.gateway === gateway && gap.epoch === epoch)
      .slice(0, GAPS_TOLD)
      .map(({ first, last }) => [first, last] as const),
  }));
}

/** Objects as the index found them; one it has not seen yet may be damaged and is tidied for this look alone. */
async function sourcesOf(
  raw: RawStore,
  objects: readonly string[],
  lakeRoot: string,
  temporary: string,
  layout: Layout,
): Promise<RawSource[]> {
  const index = new ObjectIndex(lakeRoot, layout);
  await index.load(false);
  const tidied = await index.tidied();
  const unknown = new Set(await index.missing(objects));
  const sources: RawSource[] = [];
  for (const object of objects) {
    if (unknown.has(object)) {
      const copy = join(temporary, object);
      await tidy(object, raw.path(object), copy, layout);
      sources.push({ path: copy, tidied: true });
    } else if (tidied.has(object))
      sources.push({ path: join(lakeRoot, TIDIED_FOLDER, object), tidied: true });
    else sources.push({ path: raw.path(object), tidied: false });
  }
  return sources;
}

async function viewLake(duck: Duck, lakeRoot: string, layout: Layout): Promise<void> {
  const catalog = await readCatalog(lakeRoot);
  const files = Object.values(catalog?.days ?? {}).flatMap((day) =>
    day.files.map((file) => join(lakeRoot, file)),
  );
  const source =
    files.length > 0 ? `read_parquet([${files.map(quoted).join(", ")}])` : "deliveries WHERE false";
  const columns = Object.keys(layout.fields).join(", ");
  await duck.run(`CREATE OR REPLACE TEMP VIEW lake AS SELECT ${columns} FROM ${source}`);
}

const COUNTS = `
SELECT count(*) FILTER (reason IS NULL) AS delivered, count(*) FILTER (reason IS NOT NULL) AS rejects FROM deliveries`;

const EPOCHS = `
SELECT gateway, epoch, max(seq) AS expected, count(DISTINCT seq) AS arrived, count(*) AS deliveries
FROM deliveries WHERE reason IS NULL
GROUP BY gateway, epoch ORDER BY gateway, epoch`;

const GAPS = `
SELECT gateway, epoch, before + 1 AS first, seq - 1 AS last
FROM (
  SELECT gateway, epoch, seq, lag(seq, 1, 0) OVER (PARTITION BY gateway, epoch ORDER BY seq) AS before
  FROM (SELECT DISTINCT gateway, epoch, seq FROM deliveries WHERE reason IS NULL)
)
WHERE seq > before + 1
ORDER BY gateway, epoch, first`;

const IDENTITY = "gateway, turbine, type, id, date, data";
const LAKE = `
WITH said AS (SELECT DISTINCT ${IDENTITY} FROM deliveries WHERE reason IS NULL),
  kept AS (SELECT ${IDENTITY}, count(*) AS n FROM lake GROUP BY ${IDENTITY})
SELECT
  (SELECT count(*) FROM lake) AS rows,
  (SELECT sum(n - 1) FROM kept) - (SELECT count(*) FROM lake WHERE day AND dup IS NULL)
    + (SELECT count(*) FROM (SELECT DISTINCT ${IDENTITY} FROM lake WHERE day AND dup IS NULL)) AS doubled,
  (SELECT count(*) FROM said ANTI JOIN kept USING (${IDENTITY})) AS missing,
  (SELECT count(*) FROM kept ANTI JOIN said USING (${IDENTITY})) AS unexplained`;
