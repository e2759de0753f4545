/** How far the reading of a quarantined file has come; kept in the new buffer, so that a restart goes on there. */

import type { Database } from "better-sqlite3";
import { pagesOfRows } from "../batch.ts";
import type { State } from "../state.ts";
import type { GroupRow, RejectRow, Store } from "../store.ts";
import { addReject, trimRejects } from "../transaction.ts";

export const LOWEST_KEY = Number.MIN_SAFE_INTEGER;

/** Of one epoch in the file: the lowest and the highest seq, and how many there are. */
export interface SeqSpan {
  first: number;
  last: number;
  count: number;
}

export interface Progress {
  file: string;
  /** Why it was quarantined. */
  problem: string;
  /** The table that is being read; done: the report is still to be written. */
  stage: "groups" | "rejects" | "done";
  /** Rows of the table with this key or a lower one are saved or given up. */
  after: number;
  /** What the file's own accounts tell; undefined if they can't be read. */
  told?: { epoch: string; lastSeq: number; held: number; closed: boolean } | undefined;
  /** Saved so far. */
  readings: number;
  rejects: number;
  /** Readings in rows that are not what was stored. */
  damaged: number;
  /** Stretches of keys that could not be read. */
  skipped: number;
  seqs: Record<string, SeqSpan>;
}

export function newProgress(file: string, problem: string): Progress {
  const counts = { readings: 0, rejects: 0, damaged: 0, skipped: 0 };
  return { file, problem, stage: "groups", after: LOWEST_KEY, ...counts, seqs: {} };
}

/** The files that are being read, in their order. */
export function readProgress(db: Database): Progress[] {
  const rows = db.prepare<[], string>("SELECT progress FROM salvage ORDER BY file").pluck().all();
  return rows.map((text) => JSON.parse(text));
}

export function writeProgress(db: Database, progress: Progress): void {
  const insert = db.prepare<[string, string]>("INSERT OR REPLACE INTO salvage VALUES (?, ?)");
  insert.run(progress.file, JSON.stringify(progress));
}

export function deleteProgress(db: Database, file: string): void {
  db.prepare("DELETE FROM salvage WHERE file = ?").run(file);
}

/** Its key is given by the file it comes into. */
export type SavedGroup = Omit<GroupRow, "key">;

export interface Saved {
  groups: readonly SavedGroup[];
  rejects: readonly RejectRow[];
}

/**
 * Adds what was saved. To this buffer the readings are received now; their lines keep the gateway, epoch and seq that they
 * were given first, so that the lake knows a delivery it has already.
 */
export function addSaved(
  store: Store,
  state: State,
  { groups, rejects }: Saved,
  rejectsMaxBytes: number,
): void {
  for (const group of groups) {
    store.insertGroup({ ...group, key: state.salvagedKey++ });
    state.received += group.count;
    state.buffered += group.count;
  }
  for (const reject of rejects) {
    addReject(store, state, reject);
    state.received += reject.count;
    state.rejected += reject.count;
  }
  trimRejects(store, state, rejectsMaxBytes);
}

/** Pages that what was saved needs at most. */
export function pagesForSaved({ groups, rejects }: Saved): number {
  return 4 + pagesOfRows([...groups.map(({ body }) => body.length), ...rejects.map(({ bytes }) => bytes)]);
}

export type Report = ReturnType<typeof reportOn>;

/** What came of reading a quarantined file; lies beside it as `<name>.json`. */
export function reportOn(job: Progress, nowMs: number) {
  const { file, problem, readings, rejects, damaged, skipped, told } = job;
  const missing = missingSeqs(job);
  const held = Math.max(told?.held ?? 0, readings);
  /** Why it can't be called complete. */
  const doubts = [
    damaged > 0 && `${damaged} stood in damaged rows`,
    skipped > 0 && `${skipped} stretches of it could not be read`,
    told === undefined && "what else it held can't be told",
    held > readings && "the rest is lost",
    missing > 0 && `${missing} between its first and its last were delivered before, or are lost`,
    told?.closed === false && "it was not closed in order, so whether its log held more can't be told",
  ].filter((doubt) => doubt !== false);
  const saved = `${readings}${told === undefined ? "" : ` of ${held}`} readings and ${rejects} rejects`;
  return {
    file,
    problem,
    readings,
    rejects,
    /** Readings that its accounts tell of and that could not be saved; those in damaged rows, if nobody knows. */
    lost: told === undefined ? damaged : held - readings,
    /** Seqs between the first and the last that are not in it: delivered before, or lost. */
    missing,
    /** Stretches of the file that could not be read. */
    unreadable: skipped,
    /** True if nothing was lost: it was closed in order, and every seq from its first to its last is there. */
    complete: doubts.length === 0,
    at: new Date(nowMs).toISOString(),
    result: `${saved} were saved from ${file}; ${doubts.join("; ") || "nothing in it was lost"}.`,
  };
}

/** Holes in `seq`, up to the newest reading that the file's accounts tell of. */
function missingSeqs({ seqs, told }: Progress): number {
  let missing = 0;
  for (const [epoch, { first, last, count }] of Object.entries(seqs)) {
    const end = epoch === told?.epoch ? Math.max(last, told.lastSeq) : last;
    missing += end - first + 1 - count;
  }
  return missing;
}
