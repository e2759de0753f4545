/** When the engine does what: everything that is due at some time, behind one next wake-up. */

import type { Logger } from "pino";
import type { Ballast } from "./ballast.ts";
import type { CommitRule } from "./commit-rule.ts";
import type { Condition } from "./condition.ts";
import type { Engine } from "./engine.ts";
import type { BufferFile } from "./file.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { Leases } from "./leases.ts";
import type { PendingQueue } from "./pending.ts";
import type { Salvager, SalvageTarget } from "./salvage/salvager.ts";
import type { Timers } from "./timers.ts";
import type { Stored } from "./types.ts";
import { Wake } from "./wake.ts";

/** Settled groups are deleted with readings; without any for so long by a commit of their own, ms. */
const SETTLED_ALONE_MS = 2000;
const READINGS_EXPECTED_MS = 10_000;
/** So many are deleted at once. */
const SETTLED_AT_ONCE = 256;
/** What the disk refused is tried again soon at first, then more and more rarely, ms. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2000;
const HOUSEKEEPING_MS = 25;
const NEVER = Number.POSITIVE_INFINITY;

export interface ScheduleParts {
  engine: Engine;
  file: BufferFile;
  pending: PendingQueue;
  leases: Leases;
  condition: Condition;
  rule: CommitRule;
  salvager: Salvager;
  ballast: Ballast;
  timers: Timers;
  log: Logger;
  /** Tells whoever ships that there may be something to lease. */
  announce(): void;
}

export class Schedule {
  readonly #parts: ScheduleParts;
  readonly #wake: Wake;
  readonly #housekeeping: Housekeeping;
  readonly #target: SalvageTarget;
  #retryMs = FIRST_RETRY_MS;
  /** Nothing is tried before; ms of the timers' clock. */
  #notBeforeMs = 0;
  #housekeepingMs = NEVER;
  #announces = false;
  #commitsSeen = 0;
  #additionsSeen = 0;
  #stopped = false;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
    const { engine, file, condition } = parts;
    this.#wake = new Wake(parts.timers, () => this.#run());
    this.#housekeeping = new Housekeeping(parts.ballast, parts.log);
    this.#target = {
      get store() {
        return condition.isBlocked ? undefined : file.store;
      },
      change: (work) => engine.change(work),
      failed: (error) => engine.failed(error, "change"),
    };
  }

  start(): void {
    this.#housekeepingMs = this.#parts.timers.nowMs() + HOUSEKEEPING_MS;
    this.#plan();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake.stop();
  }

  /** A message joined the queue. */
  arrived(stored: Stored): void {
    const { engine, pending, condition, rule, timers } = this.#parts;
    rule.arrived(stored, timers.nowMs(), pending.expectedBytes);
    if (pending.isGroupFull) {
      if (condition.isBlocked) pending.closeGroup();
      else this.#commit();
    } else if (!condition.isBlocked && !engine.isSyncing)
      this.#wake.at(Math.max(rule.dueMs, this.#notBeforeMs));
  }

  /** Groups were settled. */
  settled(): void {
    if (this.#parts.leases.deletableCount === 0) return;
    this.#parts.engine.settled();
    this.#plan();
  }

  /** The disk refused something. */
  retryLater(): void {
    this.#notBeforeMs = this.#parts.timers.nowMs() + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    this.#plan();
  }

  announceSoon(): void {
    this.#announces = true;
    this.#plan();
  }

  /** After a commit or a sync: whoever ships is told, and what is due next is planned. */
  followUp(): void {
    const { engine, file, condition } = this.#parts;
    const { commits, additions } = engine.totals;
    const isNew = commits !== this.#commitsSeen;
    this.#commitsSeen = commits;
    if (isNew && !condition.mustRetry && !condition.hasFailures) {
      this.#retryMs = FIRST_RETRY_MS;
      this.#notBeforeMs = 0;
    }
    const hasMore = additions !== this.#additionsSeen;
    if ((hasMore || this.#announces) && file.store !== undefined) {
      this.#additionsSeen = additions;
      this.#announces = false;
      this.#parts.announce();
    }
    if (this.#stopped) return;
    const nowMs = this.#parts.timers.nowMs();
    // What came while the sync was under way shares the next one.
    if (!engine.isSyncing && this.#isCommitDue(nowMs)) this.#commit();
    engine.startSync();
    this.#plan();
  }

  #run(): void {
    if (this.#stopped) return;
    const nowMs = this.#parts.timers.nowMs();
    if (nowMs >= this.#notBeforeMs) {
      if (this.#parts.condition.mustRetry) this.#retry();
      else if (!this.#parts.engine.isSyncing && this.#isCommitDue(nowMs)) this.#commit();
    }
    if (nowMs >= this.#housekeepingMs) this.#keepHouse(nowMs);
    if (nowMs >= this.#parts.salvager.dueMs) this.#parts.salvager.run(this.#target);
    this.followUp();
  }

  #commit(): void {
    const { engine, pending, timers } = this.#parts;
    engine.commit(timers.nowMs() >= this.#settledDueMs());
    // What found no room, or was refused, is not tried again in the same breath.
    if (pending.messages > 0) this.retryLater();
  }

  #retry(): void {
    const { engine, pending, condition } = this.#parts;
    engine.commit(false);
    if (pending.messages === 0) condition.lookForRoom();
    if (condition.mustRetry) this.retryLater();
  }

  #keepHouse(nowMs: number): void {
    const { engine, file, condition } = this.#parts;
    this.#housekeepingMs = nowMs + 1000;
    const { store } = file;
    if (store === undefined) return;
    try {
      file.retakeLock();
      file.checkPlace();
      if (condition.isShort) return;
      this.#housekeepingMs = nowMs + this.#housekeeping.step(store, engine.totals.commits);
      condition.succeeded("upkeep");
    } catch (error) {
      engine.failed(error, "upkeep");
    }
  }

  #isCommitDue(nowMs: number): boolean {
    const { pending, condition, rule } = this.#parts;
    if (nowMs < this.#notBeforeMs) return false;
    const readingsDue = pending.messages > 0 && !condition.isBlocked && nowMs >= rule.dueMs;
    return readingsDue || nowMs >= this.#settledDueMs();
  }

  #settledDueMs(): number {
    const { engine, leases, condition } = this.#parts;
    const count = leases.deletableCount;
    if (count === 0 || condition.mustRetry) return NEVER;
    if (count >= SETTLED_AT_ONCE || condition.isShort) return 0;
    return Math.max(engine.settledSinceMs + SETTLED_ALONE_MS, engine.lastReadingsMs + READINGS_EXPECTED_MS);
  }

  #plan(): void {
    if (this.#stopped) return;
    const { engine, pending, condition, rule, salvager } = this.#parts;
    const isWaiting = pending.messages > 0 && !condition.isBlocked;
    // The end of the sync that is under way is a wake-up of its own.
    if (!engine.isSyncing) {
      if (isWaiting) this.#wake.at(Math.max(rule.dueMs, this.#notBeforeMs));
      this.#wake.at(Math.max(this.#settledDueMs(), this.#notBeforeMs), "idle");
    }
    if (condition.mustRetry) this.#wake.at(this.#notBeforeMs, "idle");
    if (this.#announces) this.#wake.at(0, "idle");
    this.#wake.at(Math.min(this.#housekeepingMs, salvager.dueMs), "idle");
  }
}
