/**
 * The engine: brings what waits into the file, syncs it beside the event loop, and then tells those who wait. The only
 * writer of the file, with one next wake-up.
 *
 *   arrived ─▶ commit ─▶ (not synced) ─▶ sync, thread pool ─▶ tell senders, lease, count
 *                 │                          │
 *                 └──────────── failed ◀─────┘ ─▶ close ─▶ reopen, move the log ─▶ what is there is told, the rest waits again
 */

import { codeOf } from "../errors.ts";
import type { Batch } from "./batch.ts";
import type { Condition } from "./condition.ts";
import { PAGE_BYTES } from "./connection.ts";
import type { Task } from "./failure.ts";
import type { BufferFile } from "./file.ts";
import { LogPages } from "./log-pages.ts";
import type { PendingQueue } from "./pending.ts";
import type { State } from "./state.ts";
import type { Store } from "./store.ts";
import { Teller, type TellerParts, type Totals } from "./teller.ts";
import { beginTransaction, type Outcome, plainOutcome } from "./transaction.ts";
import { Unsynced } from "./unsynced.ts";

/** Settled groups that are many enough to be deleted with the next readings, however new. */
const MANY_SETTLED = 64;
/** They are deleted with the first commit after this time, ms: each such commit writes two or three pages more. */
const SETTLED_WAIT_MS = 10_000;
/**
 * Commits after which the accounts are written whatever happened. Between them, when only readings come in, their rows are
 * all that is written: one page a commit instead of two. A start adds those rows up.
 */
const LAZY_COMMITS = 256;

export interface EngineParts extends TellerParts {
  file: BufferFile;
  state: State;
  pending: PendingQueue;
  condition: Condition;
  rejectsMaxBytes: number;
  /** Readings or room are there that were not before. */
  ready(): void;
  /** The file failed, and is tried again later. */
  broke(error: unknown): void;
  /** Opens the file again; undefined if that must be tried later. */
  reopen(known: Readonly<State>): { state: State; foundCommits: number } | undefined;
}

export class Engine {
  readonly #parts: EngineParts;
  readonly #unsynced = new Unsynced();
  readonly #logPages = new LogPages();
  /** What the next transaction builds on, and what is known to be on the disk. */
  #committed: State;
  #synced: State;
  #running = false;
  #stopped = false;
  /** Commits since the accounts were last written. */
  #unwritten = 0;
  /** Since when a group waits to be deleted, ms of the timers' clock. */
  settledSinceMs = 0;
  /** When readings were last committed, ms of the timers' clock. */
  lastReadingsMs = Number.NEGATIVE_INFINITY;
  readonly #teller: Teller;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#committed = parts.state;
    this.#synced = parts.state;
    this.#teller = new Teller(parts);
  }

  get totals(): Readonly<Totals> {
    return this.#teller.totals;
  }

  get synced(): Readonly<State> {
    return this.#synced;
  }

  /** Messages and bytes that are not acknowledged yet. */
  get waiting(): { messages: number; bytes: number } {
    const { pending } = this.#parts;
    return {
      messages: pending.messages + this.#unsynced.messages,
      bytes: pending.bytes + this.#unsynced.bytes,
    };
  }

  get isSyncing(): boolean {
    return this.#parts.file.log?.isUnderWay === true;
  }

  /** A group was settled. */
  settled(): void {
    if (this.#parts.leases.deletableCount === 1) this.settledSinceMs = this.#parts.timers.nowMs();
  }

  /**
   * Commits all readings that wait, as far as the disk lets it, and deletes settled groups: all of them if `settle` is true,
   * otherwise with the readings when they are due.
   */
  commit(settle: boolean): void {
    if (this.#running) return;
    this.#running = true;
    try {
      const { pending, leases, rule } = this.#parts;
      let goOn = this.#step(settle);
      while (goOn && (pending.hasClosed || pending.isGroupFull || (settle && leases.deletableCount > 0)))
        goOn = this.#step(settle);
      if (pending.messages === 0) rule.committed();
    } finally {
      this.#running = false;
    }
    this.startSync();
  }

  /** Runs `work` in a transaction of its own; false if the disk refuses, which is then dealt with. */
  change(work: (store: Store, state: State) => void): boolean {
    const { file, condition } = this.#parts;
    const { store } = file;
    if (store === undefined) return false;
    const outcome = plainOutcome(this.#committed);
    try {
      file.retakeLock();
      store.begin();
      work(store, outcome.state);
      store.writeState(outcome.state);
      store.commit();
    } catch (error) {
      this.failed(error, "change");
      return false;
    }
    condition.succeeded("change");
    this.#took(outcome, undefined, 0);
    this.startSync();
    return true;
  }

  /** Begins a sync of all that was committed, unless one is under way. */
  startSync(): void {
    const { log } = this.#parts.file;
    if (this.#stopped || log === undefined || log.isUnderWay || this.#unsynced.size === 0) return;
    const upTo = this.#unsynced.newest;
    log.start((error) => {
      if (error !== null) this.failed(error, "sync");
      else this.#adoptSynced(upTo);
      this.#parts.ready();
    });
  }

  /** Syncs all that was committed on this thread. */
  syncNow(): void {
    const { log } = this.#parts.file;
    if (log === undefined || this.#unsynced.size === 0) return;
    try {
      log.now();
    } catch (error) {
      this.failed(error, "sync");
      return;
    }
    this.#adoptSynced(this.#unsynced.newest);
  }

  /** Deals with an error of the open file, whatever was being done with it. */
  failed(error: unknown, task: Task): void {
    const { pending, file, condition, log } = this.#parts;
    pending.closeGroup();
    try {
      file.store?.rollback();
    } catch (rollbackError) {
      log.debug({ err: rollbackError }, "The failed transaction could not be taken back.");
      // A connection that stays inside a transaction is of no use.
      file.abandon();
    }
    const isBroken = condition.failed(error, task, file.store);
    if (isBroken && codeOf(error) !== "buffer.replaced") file.abandon();
    this.#parts.broke(error);
  }

  /** Marks the file as closed in order, and closes it. */
  close(): void {
    this.#stopped = true;
    this.change((_store, state) => {
      state.closed = 1;
    });
    this.#parts.file.close();
  }

  /** One transaction; true if it did all there was to do. */
  #step(settle: boolean): boolean {
    const { file, pending, leases, condition, timers } = this.#parts;
    if (file.store === undefined && !this.#reopen()) return false;
    const { store } = file;
    const batch = pending.first();
    const settledForMs = timers.nowMs() - this.settledSinceMs;
    const deletesSettled =
      settle || condition.isShort || leases.deletableCount >= MANY_SETTLED || settledForMs >= SETTLED_WAIT_MS;
    const hasWork = batch !== undefined || (deletesSettled && leases.deletableCount > 0);
    if (store === undefined || !hasWork) return false;
    const startMs = performance.now();
    let outcome: Outcome | undefined;
    try {
      file.retakeLock();
      const room = condition.room(store, batch);
      const lazy = this.#unwritten < LAZY_COMMITS;
      const rejectsMaxBytes = Math.min(this.#parts.rejectsMaxBytes, (store.maxPages * PAGE_BYTES) / 4);
      const work = { batch, leases, deletesSettled, room, lazy, rejectsMaxBytes };
      outcome = beginTransaction(store, this.#committed, work);
      if (outcome.idle) store.rollback();
      else store.commit();
    } catch (error) {
      this.failed(error, "commit");
      // Whether it landed all the same is known when the file was opened again.
      if (outcome !== undefined && !outcome.idle && file.store === undefined) this.#took(outcome, batch, 0);
      return false;
    }
    if (!outcome.idle) this.#took(outcome, batch, performance.now() - startMs);
    try {
      condition.committed(store, outcome);
    } catch (error) {
      this.failed(error, "commit");
      return false;
    }
    return outcome.placed;
  }

  /** The transaction is in the file, as far as is known; its sync is still to come. */
  #took(outcome: Outcome, batch: Batch | undefined, ms: number): void {
    const { pending, leases, timers } = this.#parts;
    const placed = outcome.placed ? batch : undefined;
    if (placed !== undefined) pending.shift();
    const addsGroups = (placed?.count ?? 0) > 0 || outcome.state.salvagedKey > this.#committed.salvagedKey;
    this.#committed = outcome.state;
    this.#unsynced.push({ outcome, batch: placed, addsGroups, ms });
    this.#unwritten = outcome.stateWritten ? 0 : this.#unwritten + 1;
    this.#logPages.add(outcome, placed?.body.length ?? 0);
    leases.leave(outcome.settled.length);
    for (const key of outcome.droppedKeys) leases.dropped(key);
    if ((placed?.count ?? 0) > 0) this.lastReadingsMs = timers.nowMs();
  }

  /** The transactions up to number `upTo` are on the disk: memory follows, and those who wait are told. */
  #adoptSynced(upTo: number): void {
    const { file, condition } = this.#parts;
    try {
      file.checkPlace();
    } catch (error) {
      this.failed(error, "sync");
      return;
    }
    const done = this.#unsynced.takeUpTo(upTo);
    const last = done.at(-1);
    if (last === undefined) return;
    this.#synced = last.outcome.state;
    condition.succeeded("sync");
    this.#teller.tell(done);
    this.#moveLog();
  }

  /** After the senders are told, for they need not wait for it. */
  #moveLog(): void {
    const { condition, file } = this.#parts;
    if (file.store === undefined || !this.#logPages.isDue) return;
    try {
      this.#logPages.moved(file.store.checkpoint("PASSIVE"));
      condition.succeeded("upkeep");
    } catch (error) {
      this.failed(error, "upkeep");
    }
  }

  #reopen(): boolean {
    const { pending, leases, rule, timers, reopen } = this.#parts;
    const opened = reopen(this.#synced);
    if (opened === undefined) return false;
    const { state } = opened;
    const isSame = state.epoch === this.#committed.epoch;
    const there = isSame ? this.#unsynced.takeLanded(state, opened.foundCommits) : [];
    const lost = this.#unsynced.takeUpTo(Number.POSITIVE_INFINITY);
    const expectedKey = there.at(-1)?.outcome.state.lastKey ?? this.#synced.lastKey;
    this.#committed = state;
    this.#synced = state;
    this.#unwritten = 0;
    if (isSame) {
      for (const { outcome } of lost) {
        leases.stay(outcome.settled.length);
        for (const key of outcome.droppedKeys) leases.notDropped(key);
      }
    } else leases.reset();
    pending.putBack(lost.flatMap(({ batch }) => (batch === undefined ? [] : [batch])));
    rule.putBack(timers.nowMs());
    // Another file, or the same one with other readings at its end: another process had it meanwhile.
    if (!isSame || state.lastKey !== expectedKey)
      pending.rebase(state.epoch, state.lastKey - state.epochBase + 1);
    // Opening it again moved the log: what is there is on the disk.
    this.#teller.tell(there);
    return true;
  }
}
