/** How far the reading of a quarantined file has come; kept in the new buffer, so that a restart goes on there. */

import type { Database } from "better-sqlite3";
import { codeOf } from "../../errors.ts";
import { pagesOfRows } from "../batch.ts";
import type { State } from "../state.ts";
import type { GroupRow, RejectRow, Store } from "../store.ts";
import { addReject, trimRejects } from "../transaction.ts";

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
  /** done: the report is still to be written. */
  stage: "groups" | "rejects" | "done";
  /** Groups with this key or a lower one are saved or given up; rejects with this number, likewise. */
  afterKey: number;
  afterReject: number;
  /** What the file's own accounts tell; undefined if they can't be read. */
  told?: { epoch: string; lastSeq: number; buffered: number; closed: boolean };
  /** Saved so far. */
  readings: number;
  rejects: number;
  /** Readings in groups whose bytes are not those that were stored. */
  damaged: number;
  /** Stretches of keys that could not be read. */
  skipped: number;
  seqs: Record<string, SeqSpan>;
}

export function newProgress(file: string, problem: string): Progress {
  const low = Number.MIN_SAFE_INTEGER;
  const counts = { readings: 0, rejects: 0, damaged: 0, skipped: 0 };
  return { file, problem, stage: "groups", afterKey: low, afterReject: low, ...counts, seqs: {} };
}

/** The files that are being read, in their order. */
export function readProgress(db: Database): Progress[] {
  const rows = db.prepare<[], string>("SELECT progress FROM salvage ORDER BY file").pluck().all();
  return rows.map((text) => JSON.parse(text));
}

export function writeProgress(db: Database, progress: Progress): void {
  db.prepare<[string, string]>("INSERT OR REPLACE INTO salvage VALUES (?, ?)").run(
    progress.file,
    JSON.stringify(progress),
  );
}

export function deleteProgress(db: Database, file: string): void {
  db.prepare("DELETE FROM salvage WHERE file = ?").run(file);
}

/** What one step of reading brought. */
export interface Saved {
  /** Their keys are given by the file they come into. */
  groups: readonly Omit<GroupRow, "key">[];
  rejects: readonly RejectRow[];
}

export interface Found extends Saved {
  /** Where the reading stands after this. */
  next: Progress;
}

/**
 * Adds what was saved. To this buffer the readings are received now; their lines keep the gateway, epoch and seq that they
 * were given first, so that the lake knows a delivery it has already.
 */
export function addSaved(
  store: Store,
  state: State,
  { groups, rejects, next }: Saved & Partial<Found>,
  rejectsMaxBytes: number,
): void {
  for (const group of groups) {
    if (fits(next, () => store.insertGroup({ ...group, key: state.salvagedKey }))) {
      state.salvagedKey++;
      state.received += group.count;
      state.buffered += group.count;
    } else if (next !== undefined) {
      next.readings -= group.count;
      next.damaged += group.count;
    }
  }
  for (const reject of rejects) {
    if (fits(next, () => addReject(store, state, reject))) {
      state.received += reject.count;
      state.rejected += reject.count;
    } else if (next !== undefined) {
      next.rejects--;
      next.damaged += reject.count;
    }
  }
  trimRejects(store, state, rejectsMaxBytes);
}

/** What SQLite says of a row that is wrong in itself; any other refusal is about the file it comes into. */
const UNFIT = ["SQLITE_CONSTRAINT_DATATYPE", "SQLITE_CONSTRAINT_NOTNULL"];

/**
 * False for a row that the table does not take, with nothing done: it must not make the healthy new file look damaged. Throws
 * where nobody counts what is passed over.
 */
function fits(next: Progress | undefined, insert: () => void): boolean {
  try {
    insert();
    return true;
  } catch (error) {
    if (next !== undefined && UNFIT.includes(codeOf(error) ?? "")) return false;
    throw error;
  }
}

/** Pages that what was saved needs at most. */
export function pagesForSaved({ groups, rejects }: Saved): number {
  return 4 + pagesOfRows([...groups.map(({ body }) => body.length), ...rejects.map(({ bytes }) => bytes)]);
}
