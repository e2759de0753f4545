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
