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
  /** True where settled groups are to be deleted at all events; otherwise only as many as the batch needs the room of. */
  rides: boolean;
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
    const outcome: Outcome = {
      state,
      placed: true,
      idle: false,
      stateWritten: true,
      settled: [],
      droppedKeys: [],
      droppedReadings: 0,
    };
    if (work.rides) deleteSettled(store, outcome, work, MAX_SETTLED_PER_COMMIT, () => false);
    if (work.batch !== undefined) place(store, outcome, work.batch, work);
    outcome.idle = outcome.settled.length === 0 && !outcome.placed;
    trimRejects(store, state, work.rejectsMaxBytes);
    outcome.stateWritten = !(work.lazy && isPlain(outcome, before, work));
    if (outcome.stateWritten) store.writeState(state);
    return outcome;
  } catch (error) {
    store.rollback();
    throw error;
  }
}

/** True where readings came in and nothing else happened, which their rows tell as well as the accounts would. */
function isPlain({ settled, droppedKeys, state }: Outcome, before: State, { batch }: Work): boolean {
  const sameLane = state.rejectsKept === before.rejectsKept && state.rejected === before.rejected;
  return settled.length === 0 && droppedKeys.length === 0 && batch !== undefined && sameLane;
}

/** Deletes settled groups in their order, up to `most` of them, until `isEnough`. */
function deleteSettled(
  store: Store,
  outcome: Outcome,
  { leases }: Work,
  most: number,
  isEnough: () => boolean,
): void {
  const { settled } = leases;
  let count = outcome.settled.length;
  for (const end = Math.min(settled.length, count + most); count < end && !isEnough(); count++) {
    const group = settled[count];
    if (group !== undefined) removeSettled(store, outcome.state, group);
  }
  outcome.settled = settled.slice(0, count);
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
  const { state } = outcome;
  const rejects = newestWithin(batch.rejects, work.rejectsMaxBytes);
  if (!hasRoom(store, outcome, pagesFor(batch, rejects) + work.room.slackPages, rejects, work)) {
    outcome.placed = false;
    return;
  }
  const key = state.epochBase + batch.firstSeq;
  if (batch.count > 0) {
    store.insertGroup(groupRow(batch, key));
    state.lastKey = key + batch.count - 1;
  }
  for (const reject of rejects) addReject(store, state, reject);
  state.received += batch.count + batch.rejects.length;
  state.buffered += batch.count;
  state.rejected += batch.rejects.length;
}

/** The rejects that would be left of `rejects` once the lane is within `maxBytes`: the others are counted and not kept. */
function newestWithin(rejects: readonly RejectRow[], maxBytes: number): readonly RejectRow[] {
  let bytes = 0;
  let first = rejects.length;
  for (
    let row = rejects[first - 1];
    row !== undefined && bytes + row.bytes <= maxBytes;
    row = rejects[first - 1]
  ) {
    bytes += row.bytes;
    first--;
  }
  return first === 0 ? rejects : rejects.slice(first);
}

/** True where there is room for `needed` pages, if need be once what is of least use is gone: readings come last. */
function hasRoom(
  store: Store,
  outcome: Outcome,
  needed: number,
  rejects: readonly RejectRow[],
  work: Work,
): boolean {
  const { room, rejectsMaxBytes } = work;
  const isThere = (): boolean => (room.withinFile ? store.freePages() : store.roomPages()) >= needed;
  if (isThere()) return true;
  const { state } = outcome;
  trimRejects(store, state, rejectsMaxBytes - rejects.reduce((sum, { bytes }) => sum + bytes, 0));
  deleteSettled(store, outcome, work, work.leases.settled.length, isThere);
  if (isThere()) return true;
  if (room.dropOldest && !room.withinFile && dropOldest(store, outcome, needed, work)) return true;
  // Nothing that could be delivered would ever make the room.
  while (state.buffered === 0 && !isThere() && trimOne(store, state));
  return isThere();
}

/** True where dropping the oldest groups made room for `needed` pages; where it can't, none is dropped. */
function dropOldest(store: Store, outcome: Outcome, needed: number, { leases }: Work): boolean {
  if (needed > store.mostRoomPages(outcome.state.rejectsBytes)) return false;
  const keys: number[] = [];
  let readings = 0;
  const order = leases.dropOrder(
    (key) => store.front(key),
    (after, before) => store.nextFront(after, before),
  );
  const made = store.attempt(() => {
    for (const { key, count } of order) {
      store.deleteGroup(key);
      keys.push(key);
      readings += count;
      if (store.roomPages() >= needed) return true;
    }
    return false;
  });
  if (!made) return false;
  outcome.droppedKeys = keys;
  outcome.droppedReadings = readings;
  outcome.state.buffered -= readings;
  outcome.state.dropped += readings;
  return true;
}

export function addReject(store: Store, state: State, row: RejectRow): void {
  store.insertReject(row);
  state.rejectsKept++;
  state.rejectsBytes += row.bytes;
}

/** Lets the oldest rejects go until the lane is within its size; they stay counted. */
export function trimRejects(store: Store, state: State, maxBytes: number): void {
  while (state.rejectsBytes > maxBytes && trimOne(store, state));
}

/** False where there is none. */
function trimOne(store: Store, state: State): boolean {
  const bytes = store.removeOldestReject();
  if (bytes === undefined) return false;
  state.rejectsBytes -= bytes;
  state.rejectsKept--;
  return true;
}

/** Counts `lost` readings of a damaged group as rejected and keeps its bytes as they are. */
export function addDamaged(store: Store, state: State, row: GroupRow, lost: number): void {
  const detail = `${lost} of ${row.count} readings of a group damaged on disk could not be read`;
  // As for a refused group: where there is no room they are counted, or the buffer could never get past them.
  const payload = store.hasSpareFor(row.body.length) ? row.body : Buffer.alloc(0);
  const bytes = rejectBytes(payload, "", detail);
  const reject = {
    received: row.received,
    count: lost,
    bytes,
    reason: "damaged",
    detail,
    topic: "",
    payload,
  };
  addReject(store, state, reject);
  state.buffered -= lost;
  state.rejected += lost;
}
