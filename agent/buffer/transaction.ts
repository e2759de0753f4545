/**
 * One transaction: what was settled leaves, what came in joins, the accounts follow. Either all of it is on disk or
 * nothing is; memory learns of it only afterwards, from the `Outcome`.
 */

import { type Batch, pagesFor, rejectBytes } from "./batch.ts";
import { unpackLines } from "./gzip.ts";
import type { Leases, Settled } from "./leases.ts";
import type { State } from "./state.ts";
import type { RejectRow, Store } from "./store.ts";

/** Where a batch may be put. */
export interface Room {
  /** True if the disk can't grow the file: the batch must find its pages free already. */
  withinFile: boolean;
  /** Pages that must be left besides, so that a full buffer does not change its mind with every group. */
  slackPages: number;
  dropOldest: boolean;
}

export interface Work {
  /** The oldest batch that waits, if any. */
  batch: Batch | undefined;
  leases: Leases;
  /** True if settled groups are to be deleted at all events; otherwise only as many as the batch needs the room of. */
  deletesSettled: boolean;
  room: Room;
  /** True if the accounts may be left to be added up at the next start, when only readings come in. */
  lazy: boolean;
  rejectsMaxBytes: number;
}

export interface Outcome {
  state: State;
  /** False if the batch found no room; everything else is done. */
  placed: boolean;
  /** True if nothing was done that is worth a commit. */
  idle: boolean;
  /** False if the groups themselves say all that changed. */
  stateWritten: boolean;
  settled: readonly Settled[];
  droppedKeys: readonly number[];
  droppedReadings: number;
}

/** Most settled groups one transaction deletes: bounds how long it takes. */
export const MAX_SETTLED_PER_COMMIT = 2000;

export function plainOutcome(before: State): Outcome {
  return {
    state: { ...before, commits: before.commits + 1 },
    placed: true,
    idle: false,
    stateWritten: true,
    settled: [],
    droppedKeys: [],
    droppedReadings: 0,
  };
}

/** Does the transaction's work up to, not including, its commit; throws what SQLite throws, with everything taken back. */
export function beginTransaction(store: Store, before: State, work: Work): Outcome {
  store.begin();
  try {
    const outcome = plainOutcome(before);
    if (work.deletesSettled) deleteSettled(store, outcome, work, MAX_SETTLED_PER_COMMIT, () => false);
    if (work.batch !== undefined) place(store, outcome, work.batch, work);
    outcome.idle = outcome.settled.length === 0 && !outcome.placed;
    trimRejects(store, outcome.state, work.rejectsMaxBytes);
    outcome.stateWritten = !(work.lazy && isPlain(outcome, before, work));
    if (outcome.stateWritten) store.writeState(outcome.state);
    // The row counts what it tells of itself: more would look, when the file is opened again, like commits it has lost.
    else outcome.state.commits = before.commits;
    return outcome;
  } catch (error) {
    store.rollback();
    throw error;
  }
}

/** True if readings came in and nothing else happened, which their rows tell as well as the accounts would. */
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
  const settled = leases.deletable;
  let count = outcome.settled.length;
  for (const end = Math.min(settled.length, count + most); count < end && !isEnough(); count++) {
    const group = settled[count];
    if (group !== undefined) removeSettled(store, outcome.state, group);
  }
  outcome.settled = settled.slice(0, count);
}

function removeSettled(store: Store, state: State, group: Settled): void {
  const { key, rejected } = group;
  const found = rejected === undefined ? store.front(key) : rejectGroup(store, state, group);
  if (found === undefined || !store.deleteGroup(key)) return;
  state.buffered -= found.count;
  if (rejected === undefined) state.shipped += found.count;
  else state.rejected += found.count;
}

/** Keeps a group among the rejects: a refused one as its lines, a damaged one as the bytes it has become. */
function rejectGroup(store: Store, state: State, { key, rejected }: Settled): { count: number } | undefined {
  const row = store.group(key);
  if (row === undefined || rejected === undefined) return undefined;
  const { reason, detail } = rejected;
  const bytes = reason === "damaged" ? row.body : (unpackLines(row.body) ?? row.body);
  // A buffer that is full to the brim can count what it rejects, and no more.
  const payload = store.hasSpareFor(bytes.length) ? bytes : Buffer.alloc(0);
  const { received, count } = row;
  const charged = rejectBytes(payload, "", detail);
  addReject(store, state, { received, count, bytes: charged, reason, detail, topic: "", payload, dup: 0 });
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
    store.insertGroup({ key, count: batch.count, received: batch.receivedMs, body: batch.body });
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

/** True if there is room for `needed` pages, if need be once what is of least use is gone: readings come last. */
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
  deleteSettled(store, outcome, work, work.leases.deletableCount, isThere);
  if (isThere()) return true;
  if (room.dropOldest && !room.withinFile && dropOldest(store, outcome, needed, work)) return true;
  // Nothing that could be delivered would ever make the room.
  while (state.buffered === 0 && !isThere() && trimOne(store, state));
  return isThere();
}

/** True if dropping the oldest groups made room for `needed` pages; if it can't, none is dropped. */
function dropOldest(store: Store, outcome: Outcome, needed: number, { leases }: Work): boolean {
  if (needed > store.mostRoomPages(outcome.state.rejectsBytes)) return false;
  const keys: number[] = [];
  let readings = 0;
  const made = store.attempt(() => {
    for (const { key, count } of dropOrder(store, leases)) {
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

/** Groups in the order they may be dropped: first those nobody has, oldest first, then those that are out. */
function* dropOrder(store: Store, leases: Leases): Generator<{ key: number; count: number }> {
  const end = Number.MAX_SAFE_INTEGER;
  const from = Number.MIN_SAFE_INTEGER;
  for (let row = store.nextFront(from, end); row !== undefined; row = store.nextFront(row.key, end))
    if (!leases.isOut(row.key)) yield row;
  for (const key of leases.out()) {
    const row = store.front(key);
    if (row !== undefined) yield row;
  }
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

/** False if there is none. */
function trimOne(store: Store, state: State): boolean {
  const bytes = store.removeOldestReject();
  if (bytes === undefined) return false;
  state.rejectsBytes -= bytes;
  state.rejectsKept--;
  return true;
}
