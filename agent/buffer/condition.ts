/**
 * Whether the buffer can store, why not, and when it is worth trying again; the one desk for errors of the file.
 *
 *            own quota reached               no room on the disk             error, failed sync
 *   full ◀───────────────────── storing ─────────────────────▶ disk_full    storing ─────▶ failed
 *        ─────────────────────▶         ◀─────────────────────                      ◀─────
 *           groups were delivered       room for the ballast again        reopened, checked, log moved
 */

import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import { type Ballast, RESUME_BYTES } from "./ballast.ts";
import type { Batch } from "./batch.ts";
import { failureKind, failureProblem, fullDiskProblem } from "./failure.ts";
import type { Store } from "./store.ts";
import type { Timers } from "./timers.ts";
import type { Outcome, Room } from "./transaction.ts";
import type { BufferSettings, BufferStatus } from "./types.ts";

export type StoringState = BufferStatus["state"];

/** What was being done; each is trusted again when it succeeds. */
export type Task = "lease" | "commit" | "sync" | "change" | "upkeep" | "reopen";

/**
 * Failures of one task, with no success between them, from which on the file is quarantined. SQLite reports a sector that
 * could not be read as damage in places, and a disk under strain gives the next time what it refused before; so the same thing
 * is tried again on the file opened anew before the file is given up.
 */
export const TRIES = { damaged: 1, malformed: 2, unreadable: 5 } as const;

/** What the disk refused is tried again soon at first, then more and more rarely, ms. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2000;
/** Part of the quota that must be free again before a full buffer takes readings. */
const RESUME_SHARE = 1 / 64;
/** The same while dropping goes on: one large old group gone is no room, or the state would change with every group. */
const CALM_SHARE = 1 / 4;

const FULL_REFUSING = "The buffer is full: senders keep their readings until some are delivered.";
const FULL_DROPPING = "The buffer is full: the oldest readings are dropped to take the newest.";

export class Condition {
  readonly #settings: BufferSettings;
  readonly #ballast: Ballast;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #listeners: ((state: StoringState) => void)[] = [];
  /** Of what did not succeed since. */
  readonly #failures = new Map<Task, number>();
  #retryMs = FIRST_RETRY_MS;
  state: StoringState = "storing";
  /** Why not storing, one sentence. */
  problem: string | undefined;
  /** Why the file must be quarantined before it is opened again. */
  damage: string | undefined;
  /** Nothing is tried before; ms of the timers' clock. */
  notBeforeMs = 0;

  constructor(settings: BufferSettings, ballast: Ballast, timers: Timers, log: Logger) {
    this.#settings = settings;
    this.#ballast = ballast;
    this.#timers = timers;
    this.#log = log;
  }

  onState(listener: (state: StoringState) => void): void {
    this.#listeners.push(listener);
  }

  /** True if new readings can only wait. */
  get isBlocked(): boolean {
    return this.state === "full" ? this.#settings.onFull === "refuse" : this.state !== "storing";
  }

  /** True if room is short: what is settled must be deleted soon. */
  get isShort(): boolean {
    return this.state !== "storing";
  }

  /** True while only trying again can tell whether the disk takes something. A full buffer waits for a settlement. */
  get mustRetry(): boolean {
    return this.state === "disk_full" || this.state === "failed";
  }

  /** Where the next batch may be put. */
  room(store: Store, batch: Batch | undefined): Room {
    const bytes = RESUME_BYTES + (batch?.bytes ?? 0);
    const refuses = this.state === "full" && this.isBlocked;
    return {
      withinFile: this.state === "disk_full" && !this.#ballast.hasRoomFor(bytes),
      slackPages: refuses ? Math.floor(store.maxPages * RESUME_SHARE) : 0,
      dropOldest: this.#settings.onFull === "drop_oldest",
    };
  }

  succeeded(task: Task): void {
    if (this.#failures.size > 0) this.#failures.delete(task);
  }

  /** Readings got to the disk: the next failure is tried again soon. */
  progressed(): void {
    if (this.mustRetry || this.#failures.size > 0) return;
    this.#retryMs = FIRST_RETRY_MS;
    this.notBeforeMs = 0;
  }

  /** A transaction was committed: what that tells about the state. */
  committed(store: Store, outcome: Outcome): void {
    this.succeeded("commit");
    const { buffered, dropped } = outcome.state;
    const figures = { maxBytes: this.#settings.maxBytes, buffered };
    if (outcome.noRoom) this.retryLater();
    if (this.state === "disk_full") this.lookForRoom();
    else if (outcome.noRoom) this.#enter("full", FULL_REFUSING, figures);
    else if (outcome.droppedKeys.length > 0) this.#enter("full", FULL_DROPPING, figures);
    else if (this.state !== "full" || store.roomPages() >= this.#calmPages(store)) this.#store({ dropped });
  }

  /** Someone may have made room on a full disk. */
  lookForRoom(): void {
    if (this.state === "disk_full" && this.#ballast.hasRoomFor(RESUME_BYTES)) this.#store();
  }

  /** Something failed; true if the connection may not be used any more. */
  failed(error: unknown, task: Task, store: Store | undefined): boolean {
    this.retryLater();
    if (task !== "sync" && failureKind(error) === "full") {
      if (this.#isQuotaFull(store)) this.#enter("full", FULL_REFUSING, { err: error });
      else {
        const details = { err: error, ballastReleased: this.#releaseBallast() };
        this.#enter("disk_full", fullDiskProblem(this.#settings.path), details, "until it has room");
      }
      return false;
    }
    const isTooMuch = this.#isTooMuch(error, task);
    let problem = failureProblem(error, this.#settings.path);
    if (task === "reopen") problem = `The buffer can't be opened again (${messageOf(error)}).`;
    if (isTooMuch) problem = `The buffer's file is damaged (${messageOf(error)}).`;
    this.#enter(
      "failed",
      problem,
      { err: error, task },
      isTooMuch ? "until a new one is begun" : "meanwhile",
    );
    return true;
  }

  /** The file was opened again; `isOther`: it is a new one. */
  reopened(isOther: boolean): void {
    this.damage = undefined;
    if (isOther) this.#failures.clear();
    else this.#failures.delete("reopen");
    this.#store();
  }

  retryLater(): void {
    this.notBeforeMs = this.#timers.nowMs() + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  #store(details: object = {}): void {
    if (this.state === "storing") return;
    this.#log.info({ was: this.state, ...details }, "The buffer stores readings again.");
    this.#change("storing", undefined);
  }

  /** The same state again only renews the reason. `until`, for the log: how long nothing is acknowledged. */
  #enter(state: Exclude<StoringState, "storing">, problem: string, details: object, until?: string): void {
    this.problem = problem;
    if (this.state === state) return;
    const sentence = until === undefined ? problem : `${problem} Nothing is acknowledged ${until}.`;
    this.#log[state === "full" ? "warn" : "error"](details, sentence);
    this.#change(state, problem);
  }

  #change(state: StoringState, problem: string | undefined): void {
    this.state = state;
    this.problem = problem;
    for (const listener of this.#listeners) listener(state);
  }

  /** False where there was none to give, or the disk does not give it: what it refuses is told already. */
  #releaseBallast(): boolean {
    try {
      return this.#ballast.release();
    } catch {
      return false;
    }
  }

  /** Counts a failure; true if with it the file is given up. A failed sync tells nothing of what stands in the file. */
  #isTooMuch(error: unknown, task: Task): boolean {
    const kind = failureKind(error);
    if (kind === "full" || kind === "failed" || task === "sync") return false;
    const failures = (this.#failures.get(task) ?? 0) + 1;
    this.#failures.set(task, failures);
    if (failures < TRIES[kind]) return false;
    this.damage = messageOf(error);
    return true;
  }

  /** Pages free at which a full buffer is called full no more. */
  #calmPages(store: Store): number {
    const share = this.#settings.onFull === "refuse" ? RESUME_SHARE : CALM_SHARE;
    return Math.floor(store.maxPages * share);
  }

  /** SQLite tells a full quota and a full disk with one word. */
  #isQuotaFull(store: Store | undefined): boolean {
    try {
      return store !== undefined && store.roomPages() <= 0 && this.#ballast.hasRoomFor(RESUME_BYTES);
    } catch {
      return false;
    }
  }
}
