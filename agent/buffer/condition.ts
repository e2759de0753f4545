/**
 * Whether the buffer can store, and why not; the one desk for errors of the file.
 *
 *            own quota reached               no room on the disk             error, failed sync
 *   full ◀───────────────────── storing ─────────────────────▶ disk_full    storing ─────▶ failed
 *        ─────────────────────▶         ◀─────────────────────                      ◀─────
 *           groups were delivered       room for the ballast again        reopened, checked, log moved
 */

import { messageOf } from "../errors.ts";
import type { Ballast } from "./ballast.ts";
import type { Batch } from "./batch.ts";
import { FailureCounter, failureKind, failureProblem, fullDiskProblem, type Task } from "./failure.ts";
import { RESUME_BYTES } from "./housekeeping.ts";
import type { StorageState } from "./storage-state.ts";
import type { Store } from "./store.ts";
import type { Outcome, Room } from "./transaction.ts";
import type { BufferSettings } from "./types.ts";

/** Part of the quota that must be free again before a full buffer takes readings. */
const RESUME_SHARE = 1 / 64;
/** The same while dropping goes on: one large old group gone is no room, or the state would change with every group. */
const CALM_SHARE = 1 / 4;

const FULL_REFUSING = "The buffer is full: senders keep their readings until some are delivered.";
const FULL_DROPPING = "The buffer is full: the oldest readings are dropped to take the newest.";

/** For the log only: whoever shows the problem adds what follows from it. */
const MEANWHILE = "Nothing is acknowledged meanwhile.";
const UNTIL_ROOM = "Nothing is acknowledged until it has room.";
const UNTIL_NEW = "Nothing is acknowledged until a new one is begun.";

export class Condition {
  readonly #settings: Pick<BufferSettings, "path" | "onFull" | "maxBytes">;
  readonly #storage: StorageState;
  readonly #ballast: Ballast;
  readonly #failures = new FailureCounter();
  /** Why the file must be quarantined before it is opened again. */
  #damage: string | undefined;

  constructor(
    settings: Pick<BufferSettings, "path" | "onFull" | "maxBytes">,
    storage: StorageState,
    ballast: Ballast,
  ) {
    this.#settings = settings;
    this.#storage = storage;
    this.#ballast = ballast;
  }

  get damage(): string | undefined {
    return this.#damage;
  }

  get hasFailures(): boolean {
    return this.#failures.hasFailures;
  }

  /** True if new readings can only wait. */
  get isBlocked(): boolean {
    const { state } = this.#storage;
    return state === "full" ? this.#settings.onFull === "refuse" : state !== "storing";
  }

  /** True if room is short: what is settled must be deleted soon. */
  get isShort(): boolean {
    return this.#storage.state !== "storing";
  }

  /** True while only trying again can tell whether the disk takes something. A full buffer waits for a settlement. */
  get mustRetry(): boolean {
    return this.#storage.state === "disk_full" || this.#storage.state === "failed";
  }

  /** Where the next batch may be put. */
  room(store: Store, batch: Batch | undefined): Room {
    const bytes = RESUME_BYTES + (batch?.bytes ?? 0);
    const withinFile = this.#storage.state === "disk_full" && !this.#ballast.hasRoomFor(bytes);
    const slackPages =
      this.isBlocked && this.#storage.state === "full" ? Math.floor(store.maxPages * RESUME_SHARE) : 0;
    return { withinFile, slackPages, dropOldest: this.#settings.onFull === "drop_oldest" };
  }

  succeeded(task: Task): void {
    this.#failures.succeeded(task);
  }

  /** A transaction was committed: what that tells about the state. */
  committed(store: Store, outcome: Outcome): void {
    this.#failures.succeeded("commit");
    const figures = { maxBytes: this.#settings.maxBytes, buffered: outcome.state.buffered };
    if (this.#storage.state === "disk_full") this.lookForRoom();
    else if (!outcome.placed) this.#storage.enter("full", FULL_REFUSING, figures);
    else if (outcome.droppedReadings > 0) this.#storage.enter("full", FULL_DROPPING, figures);
    else if (this.#storage.state !== "full" || store.roomPages() >= this.#calmPages(store))
      this.#storage.storing({ dropped: outcome.state.dropped });
  }

  /** Someone may have made room on a full disk. */
  lookForRoom(): void {
    if (this.#storage.state === "disk_full" && this.#ballast.hasRoomFor(RESUME_BYTES))
      this.#storage.storing();
  }

  /** Something failed; true if the connection may not be used any more. */
  failed(error: unknown, task: Task, store: Store | undefined): boolean {
    const kind = task === "sync" ? "failed" : failureKind(error);
    if (kind === "full") {
      if (this.#isQuotaFull(store)) this.#storage.enter("full", FULL_REFUSING, { err: error });
      else {
        const ballastReleased = this.#releaseBallast();
        const problem = fullDiskProblem(this.#settings.path);
        this.#storage.enter("disk_full", problem, { err: error, ballastReleased }, UNTIL_ROOM);
      }
      return false;
    }
    const isTooMuch = this.#isTooMuch(error, task);
    const problem = isTooMuch
      ? `The buffer's file is damaged (${messageOf(error)}).`
      : failureProblem(error, this.#settings.path);
    this.#storage.enter("failed", problem, { err: error, task }, isTooMuch ? UNTIL_NEW : MEANWHILE);
    return true;
  }

  /** The file was opened again; `isOther`: it is a new one. */
  reopened(isOther: boolean): void {
    this.#damage = undefined;
    if (isOther) this.#failures.clear();
    else this.#failures.succeeded("reopen");
    this.#storage.storing();
  }

  reopenFailed(error: unknown): void {
    this.#isTooMuch(error, "reopen");
    // A full disk may refuse the opening too.
    if (failureKind(error) === "full") this.#releaseBallast();
    const problem = `The buffer can't be opened again (${messageOf(error)}).`;
    this.#storage.enter("failed", problem, { err: error }, MEANWHILE);
  }

  /** False where there was none to give, or the disk does not give it: what it refuses is told already. */
  #releaseBallast(): boolean {
    try {
      return this.#ballast.release();
    } catch {
      return false;
    }
  }

  #isTooMuch(error: unknown, task: Task): boolean {
    if (!this.#failures.failed(task, error)) return false;
    this.#damage = messageOf(error);
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
