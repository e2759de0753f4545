/**
 * Brings what waits onto the disk. The only writer of the file; decides when senders are told.
 * What to do when the disk refuses is in `trouble.ts`.
 */

import type { Logger } from "pino";
import type { Batch } from "./batch.ts";
import { Checkpoints } from "./checkpoints.ts";
import { CommitTimes } from "./commit-times.ts";
import { PAGE_BYTES } from "./connection.ts";
import type { Disk } from "./disk.ts";
import type { Intake } from "./intake.ts";
import type { Leases } from "./leases.ts";
import type { Opened } from "./open-store.ts";
import type { State } from "./state.ts";
import type { Store } from "./store.ts";
import type { Task } from "./suspicion.ts";
import { beginTransaction, type Outcome } from "./transaction.ts";
import type { Trouble } from "./trouble.ts";

/** Settled groups that are many enough to be deleted with the next readings. */
const SETTLED_RIDE = 64;
/**
 * Commits after which the accounts are written whatever happened. Between them, where only readings come in, their rows are
 * all that is written: one page a commit instead of two. A start adds those rows up.
 */
const LAZY_COMMITS = 256;

export interface CommitterParts {
  disk: Disk;
  intake: Intake;
  leases: Leases;
  trouble: Trouble;
  rejectsMaxBytes: number;
  log: Logger;
  /** A transaction is on disk and its senders know; `batch` is what it added. */
  committed(batch: Batch | undefined): void;
}

export class Committer {
  readonly #parts: CommitterParts;
  readonly #checkpoints = new Checkpoints();
  readonly times = new CommitTimes();
  #running = false;
  /** Commits since the accounts were last written. */
  #unwritten = 0;
  /** A commit that failed in a way that may have left it on disk all the same. */
  #unclear: { outcome: Outcome; batch: Batch | undefined } | undefined;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  /**
   * Commits all readings that wait, as far as the disk lets it, and deletes settled groups: all of them where `settle` says
   * so, otherwise with the readings where there are many or someone waits for the room.
   */
  run(settle: boolean): void {
    if (this.#running) return;
    this.#running = true;
    try {
      const { intake, leases } = this.#parts;
      let goOn = this.#step(settle);
      while (goOn && (intake.isWaiting || intake.isGroupFull || (settle && leases.settled.length > 0)))
        goOn = this.#step(settle);
    } finally {
      this.#running = false;
    }
  }

  /** Runs `change` in a transaction of its own; false where the disk refuses, which is then dealt with. */
  change(change: (store: Store, state: State) => void): boolean {
    const { disk, trouble } = this.#parts;
    const { store } = disk;
    if (store === undefined) return false;
    const state = { ...disk.state, commits: disk.state.commits + 1 };
    try {
      disk.own();
      store.begin();
      change(store, state);
      store.writeState(state);
      store.commit();
    } catch (error) {
      this.failed(error, "change");
      return false;
    }
    disk.state = state;
    trouble.suspicion.succeeded("change");
    return true;
  }

  /** Writes the accounts where rows alone told of the last commits; a start does as well without, a ruin reads better with. */
  writeAccounts(): void {
    if (this.#unwritten > 0 && this.change(() => {})) this.#unwritten = 0;
  }

  /** Deals with an error of the open file, whatever was being done with it. */
  failed(error: unknown, task: Task): void {
    this.#parts.intake.setAside();
    try {
      this.#parts.disk.store?.rollback();
    } catch {
      // Whatever stopped the rollback is worse than `error`: a connection that stays inside a transaction is of no use.
      this.#parts.disk.abandon();
    }
    this.#parts.trouble.met(error, task);
  }

  /** One transaction; true where it did all there was to do. */
  #step(settle: boolean): boolean {
    const { disk, intake, leases, trouble, rejectsMaxBytes } = this.#parts;
    if (disk.store === undefined && !this.#reopen()) return false;
    const { store } = disk;
    const batch = intake.first();
    const rides = settle || leases.settled.length >= SETTLED_RIDE || trouble.isShort;
    if (store === undefined || (batch === undefined && !(rides && leases.settled.length > 0))) return false;
    const startMs = performance.now();
    let outcome: Outcome | undefined;
    this.#unclear = undefined;
    try {
      disk.own();
      const room = trouble.room(store, batch);
      const lazy = this.#unwritten < LAZY_COMMITS;
      const lane = Math.min(rejectsMaxBytes, (store.maxPages * PAGE_BYTES) / 4);
      const work = { batch, leases, rides, room, lazy, rejectsMaxBytes: lane };
      outcome = beginTransaction(store, disk.state, work);
      if (outcome.idle) store.rollback();
      else store.commit();
    } catch (error) {
      this.failed(error, "commit");
      if (outcome !== undefined && !outcome.idle) this.#unclear = { outcome, batch: batch && intake.first() };
      return false;
    }
    this.#unwritten = outcome.stateWritten ? 0 : this.#unwritten + 1;
    this.times.add(performance.now() - startMs, outcome.placed && batch !== undefined ? batch.count : 0);
    this.#adopt(outcome, batch, outcome.idle ? disk.state : outcome.state);
    return outcome.placed;
  }

  /** The transaction is on disk: memory follows, and those who waited are told. */
  #adopt(outcome: Outcome, batch: Batch | undefined, state: State): void {
    const { disk, intake, leases, trouble } = this.#parts;
    const placed = outcome.placed ? batch : undefined;
    disk.state = state;
    leases.deleted(outcome.settled);
    for (const key of outcome.droppedKeys) leases.dropped(key);
    if (placed !== undefined) intake.done(placed);
    else intake.setAside();
    trouble.suspicion.succeeded("commit");
    trouble.passed(outcome);
    if (placed !== undefined) this.#tell(placed);
    this.#parts.committed(placed);
    this.#moveLog(placed?.encoded.body.length ?? 0);
  }

  #tell(batch: Batch): void {
    for (const stored of batch.stored) {
      try {
        stored();
      } catch (error) {
        this.#parts.log.error({ err: error }, "A sender could not be told that its reading is stored.");
      }
    }
  }

  /** After the senders are told, for they need not wait for it. */
  #moveLog(bodyBytes: number): void {
    const { store } = this.#parts.disk;
    if (store === undefined) return;
    try {
      this.#checkpoints.committed(store, bodyBytes);
    } catch (error) {
      this.failed(error, "upkeep");
    }
  }

  #reopen(): boolean {
    const { disk, intake, trouble } = this.#parts;
    const { epoch, lastKey } = disk.state;
    const opened = trouble.reopen();
    if (opened === undefined) return false;
    const unclear = this.#unclear;
    this.#unclear = undefined;
    const isOther = opened.state.epoch !== epoch;
    if (isOther) this.#parts.leases.reset();
    if (!isOther && unclear !== undefined && hasLanded(opened, unclear.outcome))
      this.#adopt(unclear.outcome, unclear.batch, opened.state);
    // The same file with other readings at its end: another process had it meanwhile.
    else if (isOther || opened.state.lastKey !== lastKey)
      intake.rebase(opened.state.epoch, opened.state.lastKey - opened.state.epochBase + 1);
    return true;
  }
}

/** Whether the transaction of a commit that failed is in the file all the same. */
function hasLanded({ foundCommits, state }: Opened, outcome: Outcome): boolean {
  return outcome.stateWritten
    ? foundCommits === outcome.state.commits
    : state.lastKey === outcome.state.lastKey;
}
