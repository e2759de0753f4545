/** What salvage writes into the new buffer: groups behind keys below zero, rejects, and how far it has come. */

import type { Database } from "better-sqlite3";
import { pagesOfRows } from "./batch.ts";
import type { Progress } from "./salvage-source.ts";
import type { State } from "./state.ts";
import type { GroupRow, RejectRow, Store } from "./store.ts";
import { addReject, trimRejects } from "./transaction.ts";

const COLUMNS =
  "file, problem, stage, low, low_reject, place, partial, expected, stumbled, readings, rejects, lost";

export interface Saved {
  /** Their keys are given here. */
  groups: readonly Omit<GroupRow, "key">[];
  rejects: readonly RejectRow[];
}

/**
 * Adds what was saved. To this buffer the readings are received now; their lines keep the gateway, epoch and seq that they
 * were given first, so that the lake knows a delivery it has already.
 */
export function addSaved(store: Store, state: State, saved: Saved, rejectsMaxBytes: number): void {
  for (const group of saved.groups) {
    store.insertGroup({ ...group, key: state.salvagedKey });
    state.salvagedKey++;
    state.received += group.count;
    state.buffered += group.count;
  }
  for (const reject of saved.rejects) {
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

/** The files that are being read, in their order. */
export function readProgress(db: Database): Progress[] {
  const columns = COLUMNS.replace("low_reject", "low_reject AS lowReject");
  return db.prepare<[], Progress>(`SELECT ${columns} FROM salvage ORDER BY file`).all();
}

export function writeProgress(db: Database, progress: Progress): void {
  const values = COLUMNS.replace("low_reject", "lowReject").replace(/\w+/g, "@$&");
  db.prepare<[Progress]>(`INSERT OR REPLACE INTO salvage (${COLUMNS}) VALUES (${values})`).run(progress);
}

export function deleteProgress(db: Database, file: string): void {
  db.prepare("DELETE FROM salvage WHERE file = ?").run(file);
}
