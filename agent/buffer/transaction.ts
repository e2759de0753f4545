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

export interface Work extends Room {
  /** The oldest batch that waits, if any. */
  batch: Batch | undefined;
  leases: Leases;
  /** True if settled groups are to be deleted at all events; otherwise only as many as the batch needs the room of. */
  deletesSettled: boolean;
  /** True if the accounts may be left to be added up at the next start, when only readings come in. */
  lazy: boolean;
  rejectsMaxBytes: number;
}

export interface Outcome {
  state: State;
  /** What joined, if anything. */
  batch: Batch | undefined;
  /** True if the batch found no room; everything else is done. */
  noRoom: boolean;
  /** False if the groups themselves say all that changed. */
  stateWritten: boolean;
  settled: readonly Settled[];
  droppedKeys: number[];
  /** What it took on the event loop. */
  ms: number;
}

/** Most settled groups one transaction deletes: bounds how long it takes. */
const MAX_SETTLED_PER_COMMIT = 2000;

export function plainOutcome(before: State): Outcome {
  const state = { ...before, commits: before.commits + 1 };
  return { state, batch: undefined, noRoom: false, stateWritten: true, settled: [], droppedKeys: [], ms: 0 };
}

/** Whether the transaction is in a file with this state; `commits`: what its row counted. */
export function isInFile({ stateWritten, state }: Outcome, found: State, commits: number): boolean {
  return stateWritten ? commits >= state.commits : found.lastKey >= state.lastKey;
}

/** Does the work inside a transaction that was begun; false if nothing was done that is worth a commit. */
export function applyWork(store: Store, before: State, outcome: Outcome, work: Work): boolean {
  const { state } = outcome;
  if (work.deletesSettled) deleteSettled(store, outcome, work, MAX_SETTLED_PER_COMMIT);
  if (work.batch !== undefined) place(store, outcome, work.batch, work);
  trimRejects(store, state, work.rejectsMaxBytes);
  outcome.stateWritten = !(work.lazy && isPlain(outcome, before));
  if (outcome.stateWritten) store.writeState(state);
  // The row counts what it tells of itself: more would look, when the file is opened again, like commits it has lost.
  else state.commits = before.commits;
  return outcome.batch !== undefined || outcome.settled.length > 0;
}

/** True if readings came in and nothing else happened, which their rows tell as well as the accounts would. */
function isPlain({ settled, droppedKeys, batch, state }: Outcome, before: State): boolean {
  const sameLane = state.rejectsKept === before.rejectsKept && state.rejected === before.rejected;
  return settled.length === 0 && droppedKeys.length === 0 && batch !== undefined && sameLane;
}

/** Deletes settled groups in their order, up to `most` of them, until `isEnough`. */
function deleteSettled(
  store: Store,
  outcome: Outcome,
  { leases }: Work,
  most: number,
  isEnough = (): boolean => false,
): void {
  const groups = leases.deletable.slice(0, outcome.settled.length + most);
  let count = outcome.settled.length;
  for (const group of groups.slice(count)) {
    if (isEnough()) break;
    deleteOne(store, outcome.state, group);
    count++;
  }
  outcome.settled = groups.slice(0, count);
}

/** A refused group is kept among the rejects as its lines, a damaged one as the bytes it has become. */
function deleteOne(store: Store, state: State, { key, count, rejected }: Settled): void {
  const row = rejected === undefined ? undefined : store.group(key);
  if (!store.deleteGroup(key)) return;
  state.buffered -= count;
  if (rejected === undefined) state.shipped += count;
  else state.rejected += count;
  if (rejected === undefined || row === undefined) return;
  const { reason, detail } = rejected;
  const bytes = reason === "damaged" ? row.body : (unpackLines(row.body) ?? row.body);
  // A buffer that is full to the brim can count what it rejects, and no more.
  const payload = store.hasSpareFor(bytes.length) ? bytes : Buffer.alloc(0);
  const charged = rejectBytes(payload, "", detail);
  const { received } = row;
  addReject(store, state, { received, count, bytes: charged, reason, detail, topic: "", payload, dup: 0 });
}

function place(store: Store, outcome: Outcome, batch: Batch, work: Work): void {
  const { state } = outcome;
  outcome.noRoom = !makeRoom(store, outcome, batch, work);
  if (outcome.noRoom) return;
  outcome.batch = batch;
  const { count, receivedMs: received, body, rejects } = batch;
  if (count > 0) {
    const key = state.epochBase + batch.firstSeq;
    store.insertGroup({ key, count, received, body });
    state.lastKey = key + count - 1;
  }
  for (const reject of rejects) addReject(store, state, reject);
  state.received += count + rejects.length;
  state.buffered += count;
  state.rejected += rejects.length;
}

/** True if there is room for the batch, if need be once what is of least use is gone: readings come last. */
function makeRoom(store: Store, outcome: Outcome, batch: Batch, work: Work): boolean {
  const { state } = outcome;
  const needed = pagesFor(batch) + work.slackPages;
  const isThere = (): boolean => (work.withinFile ? store.freePages() : store.roomPages()) >= needed;
  if (isThere()) return true;
  trimRejects(store, state, work.rejectsMaxBytes - batch.rejects.reduce((sum, { bytes }) => sum + bytes, 0));
  deleteSettled(store, outcome, work, work.leases.deletableCount, isThere);
  if (isThere()) return true;
  if (work.dropOldest && !work.withinFile) dropOldest(store, outcome, needed, work);
  // Nothing that could be delivered would ever make the room.
  while (state.buffered === 0 && !isThere() && trimOne(store, state));
  return isThere();
}

/** Drops the oldest groups until there is room for `needed` pages; none if by the estimate all of them would not make it. */
function dropOldest(store: Store, { state, droppedKeys }: Outcome, needed: number, { leases }: Work): void {
  if (needed > store.mostRoomPages(state.rejectsBytes)) return;
  for (const { key, count } of dropOrder(store, leases)) {
    if (store.roomPages() >= needed) return;
    if (!store.deleteGroup(key)) continue;
    droppedKeys.push(key);
    state.buffered -= count;
    state.dropped += count;
  }
}

/** Groups in the order they may be dropped: first those nobody has, oldest first, then those that are out. */
function* dropOrder(store: Store, leases: Leases): Generator<{ key: number; count: number }> {
  let row = store.front(Number.MIN_SAFE_INTEGER);
  for (; row !== undefined; row = store.front(row.key)) if (!leases.isOut(row.key)) yield row;
  yield* leases.out();
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
