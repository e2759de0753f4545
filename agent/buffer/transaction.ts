/**
 * One transaction: what was settled leaves, what came in joins, the accounts follow. Either all of it is on disk or
 * nothing is; memory learns of it only afterwards, from the `Outcome`.
 */

import { type Batch, groupRow, pagesFor, rejectBytes } from "./batch.ts";
import { decodeBody } from "./codec.ts";
import type { Leases, Settled } from "./leases.ts";
import type { State } from "./state.ts";
import type { GroupRow, RejectRow, Store } from "./store.ts";

/** Where a batch may be put. */
export interface Room {
  /** True where the disk can't grow the file: the batch must find its pages free already. */
  withinFile: boolean;
  /** Pages that must be left besides, so that a full buffer does not change its mind with every group. */
  slackPages: number;
  dropOldest: boolean;
}

export interface Work {
  /** The oldest batch that waits, if any. */
  batch: Batch | undefined;
  leases: Leases;
  /** Groups to delete. */
  settled: readonly Settled[];
  room: Room;
  /** True where the accounts may be left to be added up at the next start, if only readings come in. */
  lazy: boolean;
  rejectsMaxBytes: number;
}

export interface Outcome {
  state: State;
  /** False where the batch found no room; everything else is done. */
  placed: boolean;
  /** True where nothing was done that is worth a commit. */
  idle: boolean;
  /** False where the groups themselves say all that changed. */
  stateWritten: boolean;
  settled: readonly Settled[];
  droppedKeys: readonly number[];
  droppedReadings: number;
}

/** Most settled groups one transaction deletes: bounds how long it takes. */
export const MAX_SETTLED_PER_COMMIT = 2000;

/** Does the transaction's work up to, not including, its commit; throws what SQLite throws, with everything taken back. */
export function beginTransaction(store: Store, before: State, work: Work): Outcome {
  store.begin();
  try {
    const state: State = { ...before, commits: before.commits + 1 };
    const { settled } = work;
    for (const group of settled) removeSettled(store, state, group);
    const outcome: Outcome = {
      state,
      placed: true,
      idle: false,
      stateWritten: true,
      settled,
      droppedKeys: [],
      droppedReadings: 0,
    };
    if (work.batch !== undefined) place(store, outcome, work.batch, work);
    outcome.idle = settled.length === 0 && !outcome.placed;
    trimRejects(store, state, work.rejectsMaxBytes);
    outcome.stateWritten = !(work.lazy && isPlain(outcome, work));
    if (outcome.stateWritten) store.writeState(state);
    return outcome;
  } catch (error) {
    store.rollback();
    throw error;
  }
}

/** True where readings came in and nothing else happened, which their rows tell as well as the accounts would. */
function isPlain({ settled, droppedKeys }: Outcome, { batch }: Work): boolean {
  return (
    settled.length === 0 && droppedKeys.length === 0 && batch !== undefined && batch.rejects.length === 0
  );
}

function removeSettled(store: Store, state: State, { key, refused }: Settled): void {
  const group = refused === undefined ? store.front(key) : refuseGroup(store, state, key, refused);
  if (group === undefined || !store.deleteGroup(key)) return;
  state.buffered -= group.count;
  if (refused === undefined) state.shipped += group.count;
  else state.rejected += group.count;
}

function refuseGroup(store: Store, state: State, key: number, detail: string): { count: number } | undefined {
  const row = store.group(key);
  if (row === undefined) return undefined;
  const lines = decodeBody(row) ?? row.body;
  // A buffer that is full to the brim can count what it refuses, and no more.
  const payload = store.hasSpareFor(lines.length) ? lines : Buffer.alloc(0);
  const bytes = rejectBytes(payload, "", detail);
  const { received, count } = row;
  addReject(store, state, { received, count, bytes, reason: "refused", detail, topic: "", payload });
  return row;
}

function place(store: Store, outcome: Outcome, batch: Batch, work: Work): void {
  const needed = pagesFor(batch) + work.room.slackPages;
  if (work.room.withinFile ? store.freePages() < needed : !makeRoom(store, outcome, needed, work)) {
    outcome.placed = false;
    return;
  }
  const { state } = outcome;
  const key = state.epochBase + batch.firstSeq;
  if (batch.count > 0) {
    store.insertGroup(groupRow(batch, key));
    state.lastKey = key + batch.count - 1;
  }
  for (const reject of batch.rejects) addReject(store, state, reject);
  state.received += batch.count + batch.rejects.length;
  state.buffered += batch.count;
  state.rejected += batch.rejects.length;
}

/** True where the quota has room for `needed` pages, if need be after dropping the oldest groups. */
function makeRoom(store: Store, outcome: Outcome, needed: number, work: Work): boolean {
  if (store.roomPages() >= needed) return true;
  if (!work.room.dropOldest) return false;
  const keys: number[] = [];
  const order = work.leases.dropOrder(
    (key) => store.front(key),
    (after, before) => store.nextFront(after, before),
  );
  for (const { key, count } of order) {
    store.deleteGroup(key);
    keys.push(key);
    outcome.droppedReadings += count;
    if (store.roomPages() >= needed) break;
  }
  outcome.droppedKeys = keys;
  outcome.state.buffered -= outcome.droppedReadings;
  outcome.state.dropped += outcome.droppedReadings;
  return store.roomPages() >= needed;
}

export function addReject(store: Store, state: State, row: RejectRow): void {
  store.insertReject(row);
  state.rejectsKept++;
  state.rejectsBytes += row.bytes;
}

/** Lets the oldest rejects go until the lane is within its size; they stay counted. */
export function trimRejects(store: Store, state: State, maxBytes: number): void {
  while (state.rejectsBytes > maxBytes) {
    const bytes = store.removeOldestReject();
    if (bytes === undefined) break;
    state.rejectsBytes -= bytes;
    state.rejectsKept--;
  }
}

/** Counts `lost` readings of a damaged group as rejected and keeps its bytes as they are. */
export function addDamaged(store: Store, state: State, row: GroupRow, lost: number): void {
  const detail = `${lost} of ${row.count} readings of a group damaged on disk could not be read`;
  const bytes = rejectBytes(row.body, "", detail);
  const reject = {
    received: row.received,
    count: lost,
    bytes,
    reason: "damaged",
    detail,
    topic: "",
    payload: row.body,
  };
  addReject(store, state, reject);
  state.buffered -= lost;
  state.rejected += lost;
}
