/**
 * The engine: brings what waits into the file, syncs it beside the event loop, and then tells those who wait. The only
 * writer of the file.
 *
 *   arrived ─▶ commit ─▶ (not synced) ─▶ sync, thread pool ─▶ tell senders, lease, count
 *                 │                          │
 *                 └──────────── failed ◀─────┘ ─▶ close ─▶ reopen, move the log ─▶ what is there is told, the rest waits again
 */

import { codeOf } from "../errors.ts";
import type { Task } from "./condition.ts";
import { PAGE_BYTES } from "./connection.ts";
import type { BufferFile } from "./file.ts";
import type { Parts } from "./parts.ts";
import type { SalvageTarget } from "./salvage/salvager.ts";
import type { State } from "./state.ts";
import type { Store } from "./store.ts";
import { applyWork, isInFile, type Outcome, plainOutcome } from "./transaction.ts";
import type { Stored } from "./types.ts";

/**
 * Commits after which the accounts are written whatever happened. Between them, when only readings come in, their rows are
 * all that is written: one page a commit instead of two. A start adds those rows up.
 */
const LAZY_COMMITS = 256;

export class Engine implements SalvageTarget {
  readonly #parts: Parts;
  readonly #afterSync: () => void;
  /** Transactions in the file that are not known to be on the disk, oldest first. */
  readonly #unsynced: Outcome[] = [];
  /** What the next transaction builds on. */
  #committed: State;
  /** What is known to be on the disk. */
  synced: Readonly<State>;
  #running = false;
  /** Commits since the accounts were last written. */
  #unwritten = 0;
  /** Of the transactions on the disk, since the process started. */
  readonly totals = { commits: 0, committedReadings: 0, commitSeconds: 0, longestCommitSeconds: 0 };

  /** `afterSync` is called after each sync beside the loop, whatever came of it. */
  constructor(parts: Parts, state: State, afterSync: () => void) {
    this.#parts = parts;
    this.#committed = state;
    this.synced = state;
    this.#afterSync = afterSync;
  }

  get isSyncing(): boolean {
    return this.#parts.file.log?.isUnderWay === true;
  }

  /** The file, for those who come after the sensors. */
  get store(): Store | undefined {
    return this.#parts.condition.mustRetry ? undefined : this.#parts.file.store;
  }

  get isBlocked(): boolean {
    return this.#parts.condition.isBlocked;
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
      if (pending.isEmpty) rule.committed();
    } finally {
      this.#running = false;
    }
  }

  /** Runs `work` in a transaction of its own; false if the disk refuses, which is then dealt with. */
  change(work: (store: Store, state: State) => void): boolean {
    const { store } = this.#parts.file;
    if (store === undefined) return false;
    const outcome = plainOutcome(this.#committed);
    const done = this.#transact(store, "change", outcome, () => {
      work(store, outcome.state);
      store.writeState(outcome.state);
      return true;
    });
    if (done) this.#parts.condition.succeeded("change");
    return done;
  }

  /** Begins a sync of all that was committed, unless one is under way. */
  startSync(): void {
    const { log } = this.#parts.file;
    const newest = this.#unsynced.at(-1);
    if (log === undefined || log.isUnderWay || newest === undefined) return;
    log.start((error) => {
      if (error !== null) this.failed(error, "sync");
      else this.#adoptSynced(newest);
      this.#afterSync();
    });
  }

  /** Syncs all that was committed on this thread. */
  syncNow(): void {
    const { log } = this.#parts.file;
    const newest = this.#unsynced.at(-1);
    if (log === undefined || newest === undefined) return;
    try {
      log.now();
    } catch (error) {
      this.failed(error, "sync");
      return;
    }
    this.#adoptSynced(newest);
  }

  /** Deals with an error of the open file, whatever was being done with it. */
  failed(error: unknown, task: Task = "change"): void {
    const { pending, file, condition, log } = this.#parts;
    pending.closeGroup();
    try {
      file.store?.rollback();
    } catch (rollbackError) {
      log.debug({ err: rollbackError }, "The failed transaction could not be taken back.");
      // A connection that stays inside a transaction is of no use.
      file.abandon();
    }
    if (!condition.failed(error, task, file.store)) return;
    if (codeOf(error) !== "buffer.replaced") file.abandon();
    else {
      try {
        file.detach(this.synced.lastKey);
      } catch (detachError) {
        condition.failed(detachError, "change", file.store);
      }
    }
  }

  /** Takes out those who wait for a sync that will not come: theirs may be on the disk or not. */
  abandon(): Stored[] {
    const batches = this.#unsynced.splice(0).flatMap(({ batch }) => (batch === undefined ? [] : [batch]));
    for (const batch of batches) this.#parts.pending.told(batch);
    return batches.flatMap(({ stored }) => stored);
  }

  /** Marks the file as closed in order, and closes it. */
  close(): void {
    this.change((_store, state) => {
      state.closed = 1;
    });
    this.#parts.file.close();
  }

  /** One transaction; true if it did all there was to do. */
  #step(settle: boolean): boolean {
    const { file, pending, leases, condition, rule, timers, settings } = this.#parts;
    if (file.store === undefined && !this.#reopen()) return false;
    const { store } = file;
    const batch = pending.first();
    const { deletableCount } = leases;
    const isDue = timers.nowMs() >= rule.settledDueMs("with readings", deletableCount, condition.isShort);
    const deletesSettled = deletableCount > 0 && (settle || isDue);
    if (store === undefined || (batch === undefined && !deletesSettled)) return false;
    const outcome = plainOutcome(this.#committed);
    const done = this.#transact(store, "commit", outcome, () => {
      const rejectsMaxBytes = Math.min(settings.rejectsMaxBytes, (store.maxPages * PAGE_BYTES) / 4);
      const lazy = this.#unwritten < LAZY_COMMITS;
      const work = { batch, leases, deletesSettled, lazy, rejectsMaxBytes, ...condition.room(store, batch) };
      return applyWork(store, this.#committed, outcome, work);
    });
    if (!done) return false;
    try {
      condition.committed(store, outcome);
    } catch (error) {
      this.failed(error, "commit");
      return false;
    }
    return !outcome.noRoom;
  }

  /** One transaction, committed if `write` says so; false if the disk refuses, which is then dealt with. */
  #transact(store: Store, task: Task, outcome: Outcome, write: () => boolean): boolean {
    const { file } = this.#parts;
    const startMs = performance.now();
    let commits = false;
    try {
      file.retakeLock();
      store.begin();
      commits = write();
      if (commits) store.commit();
      else store.rollback();
    } catch (error) {
      this.failed(error, task);
      // Whether it landed all the same is known when the file was opened again.
      if (commits && file.store === undefined) this.#took(outcome);
      return false;
    }
    outcome.ms = performance.now() - startMs;
    if (commits) this.#took(outcome);
    return true;
  }

  /** The transaction is in the file, as far as is known; its sync is still to come. */
  #took(outcome: Outcome): void {
    const { pending, leases, rule, timers, file } = this.#parts;
    const { batch, settled, droppedKeys, state, stateWritten } = outcome;
    this.#committed = state;
    this.#unsynced.push(outcome);
    this.#unwritten = stateWritten ? 0 : this.#unwritten + 1;
    file.wrote(outcome);
    leases.leave(settled.length);
    for (const key of droppedKeys) leases.dropped(key);
    if (batch === undefined) return;
    pending.shift();
    if (batch.count > 0) rule.readingsCommitted(timers.nowMs());
  }

  /** The transactions up to `newest` are on the disk: memory follows, and those who wait are told. */
  #adoptSynced(newest: Outcome): void {
    const { file, condition } = this.#parts;
    let task: Task = "sync";
    try {
      file.checkPlace();
      // None if a sync on this thread came before.
      const done = this.#unsynced.splice(0, this.#unsynced.indexOf(newest) + 1);
      this.synced = done.at(-1)?.state ?? this.synced;
      this.#tell(done);
      // After the senders are told, for they need not wait for it.
      task = "upkeep";
      if (file.moveLog()) condition.succeeded("upkeep");
    } catch (error) {
      this.failed(error, task);
    }
  }

  /** The transactions are on the disk: all are counted before the first sender is told. */
  #tell(outcomes: readonly Outcome[]): void {
    const { pending, leases, rule, condition, timers, log } = this.#parts;
    const { totals } = this;
    if (outcomes.length > 0) condition.progressed();
    for (const { settled, batch, ms } of outcomes) {
      leases.left(settled.length);
      if (batch !== undefined) pending.told(batch);
      totals.commits++;
      totals.committedReadings += batch?.count ?? 0;
      totals.commitSeconds += ms / 1000;
      totals.longestCommitSeconds = Math.max(totals.longestCommitSeconds, ms / 1000);
    }
    const nowMs = timers.nowMs();
    for (const { batch } of outcomes)
      for (const stored of batch?.stored ?? []) {
        rule.told(stored, nowMs);
        try {
          stored();
        } catch (error) {
          log.error({ err: error }, "A sender could not be told that its reading is stored.");
        }
      }
  }

  /** False if that must be tried later. What is in the file is told, what is not waits again. */
  #reopen(): boolean {
    const { pending, leases, rule, timers, file, condition, salvager } = this.#parts;
    let opened: ReturnType<BufferFile["reopen"]>;
    try {
      opened = file.reopen(this.synced, condition.damage);
    } catch (error) {
      condition.failed(error, "reopen", undefined);
      return false;
    }
    const { state, quarantined, detached } = opened;
    condition.reopened(quarantined !== undefined);
    salvager.opened(opened);
    if (detached !== undefined) salvager.startDetached(detached, quarantined?.file);
    const isSame = state.epoch === this.#committed.epoch;
    const isLost = (each: Outcome) => !isSame || !isInFile(each, state, opened.foundCommits);
    const firstLost = this.#unsynced.findIndex(isLost);
    const lost = firstLost === -1 ? [] : this.#unsynced.splice(firstLost);
    const there = this.#unsynced.splice(0);
    this.#committed = state;
    this.synced = state;
    this.#unwritten = 0;
    if (isSame) {
      for (const { settled, droppedKeys } of lost) {
        leases.stay(settled.length);
        for (const key of droppedKeys) leases.notDropped(key);
      }
    } else leases.reset();
    pending.putBack(lost.flatMap(({ batch }) => (batch === undefined ? [] : [batch])));
    rule.putBack(timers.nowMs());
    pending.follow(state);
    // Opening it again moved the log: what is there is on the disk.
    this.#tell(there);
    return true;
  }
}
