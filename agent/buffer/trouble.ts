/**
 * What to do when the disk refuses, and when to believe it again.
 *
 *            own quota reached               no room on the disk             error, failed fsync
 *   full ◀───────────────────── storing ─────────────────────▶ disk_full    storing ─────▶ failed
 *        ─────────────────────▶         ◀─────────────────────                      ◀─────
 *           groups were delivered       room for the ballast again        reopened, checked, log moved
 */

import { codeOf, messageOf } from "../errors.ts";
import type { Ballast } from "./ballast.ts";
import type { Batch } from "./batch.ts";
import { failureKind } from "./damage.ts";
import type { Disk } from "./disk.ts";
import type { Health } from "./health.ts";
import type { Opened } from "./open-store.ts";
import type { Ruin } from "./salvage-source.ts";
import type { Store } from "./store.ts";
import { Suspicion, type Task } from "./suspicion.ts";
import type { Outcome, Room } from "./transaction.ts";
import type { BufferSettings } from "./types.ts";

/** Part of the quota that must be free again before a full buffer takes readings. */
const RESUME_SHARE = 1 / 64;
/** The same where dropping goes on meanwhile: one large old group gone is no room, or the state would change with every group. */
const CALM_SHARE = 1 / 4;
/** What a disk that was full must have free besides the ballast before it is counted on again. Bytes. */
export const RESUME_BYTES = 1024 * 1024;

const FULL_REFUSING = "The buffer is full: senders keep their readings until some are delivered.";
const FULL_DROPPING = "The buffer is full: the oldest readings are dropped to take the newest.";

/** Said in the log only: who shows the problem says so himself. */
const MEANWHILE = "Nothing is acknowledged meanwhile.";
const UNTIL_ROOM = "Nothing is acknowledged until it has room.";
const UNTIL_NEW = "Nothing is acknowledged until a new one is begun.";

export interface TroubleParts {
  settings: Pick<BufferSettings, "path" | "onFull" | "maxBytes">;
  disk: Disk;
  health: Health;
  ballast: Ballast;
  /** The file was opened again; `ruin`: it, or its log, was set aside before. */
  reopened(ruin: Ruin | undefined): void;
}

export class Trouble {
  readonly #parts: TroubleParts;
  readonly suspicion = new Suspicion();
  /** Why the file must be set aside before it is opened again. */
  #damage: string | undefined;

  constructor(parts: TroubleParts) {
    this.#parts = parts;
  }

  /** True where new readings can only wait. */
  get isBlocked(): boolean {
    const { health, settings } = this.#parts;
    if (health.state === "full") return settings.onFull === "refuse";
    return health.state !== "storing";
  }

  /** True where room is short: what is settled must be deleted soon. */
  get isShort(): boolean {
    return this.#parts.health.state !== "storing";
  }

  /** Where the next batch may be put. */
  room(store: Store, batch: Batch | undefined): Room {
    const { health, ballast, settings } = this.#parts;
    const bytes = RESUME_BYTES + (batch?.bytes ?? 0);
    const withinFile = health.state === "disk_full" && !ballast.hasRoomFor(bytes);
    const slackPages = this.isBlocked && health.state === "full" ? resumePages(store) : 0;
    return { withinFile, slackPages, dropOldest: settings.onFull === "drop_oldest" };
  }

  /** A transaction was committed: what that says about the state. */
  passed(outcome: Outcome): void {
    const { health, settings, disk } = this.#parts;
    const figures = { maxBytes: settings.maxBytes, buffered: outcome.state.buffered };
    if (health.state === "disk_full") {
      this.lookForRoom();
    } else if (!outcome.placed) {
      health.enter("full", FULL_REFUSING, figures);
    } else if (outcome.droppedReadings > 0) {
      health.enter("full", FULL_DROPPING, figures);
    } else if (
      health.state !== "full" ||
      (disk.store !== undefined && disk.store.roomPages() >= this.#calmPages(disk.store))
    ) {
      health.storing({ dropped: outcome.state.dropped });
    }
  }

  /** Pages free at which a full buffer is called full no more. */
  #calmPages(store: Store): number {
    const share = this.#parts.settings.onFull === "refuse" ? RESUME_SHARE : CALM_SHARE;
    return Math.floor(store.maxPages * share);
  }

  /** Someone may have made room on a full disk. */
  lookForRoom(): void {
    const { health, ballast } = this.#parts;
    if (health.state === "disk_full" && ballast.hasRoomFor(RESUME_BYTES)) health.storing();
  }

  /** The disk refused while `task` was being done. */
  met(error: unknown, task: Task): void {
    const { health, ballast, settings, disk } = this.#parts;
    const kind = failureKind(error);
    if (kind === "full" && isQuotaFull(disk)) {
      health.enter("full", FULL_REFUSING, { err: error });
      return;
    }
    if (kind === "full") {
      const ballastReleased = ballast.release();
      const problem = `The disk that holds ${settings.path} is full.`;
      health.enter("disk_full", problem, { err: error, ballastReleased }, UNTIL_ROOM);
      return;
    }
    disk.abandon();
    const reason = messageOf(error);
    const isBad = this.#isTooMuch(error, task);
    const problem = isBad
      ? `The buffer's file is damaged (${reason}).`
      : codeOf(error) === "buffer.locked"
        ? `Another process took the buffer away: ${reason}.`
        : `The disk refuses to store or to give readings (${reason}).`;
    health.enter("failed", problem, { err: error, task }, isBad ? UNTIL_NEW : MEANWHILE);
  }

  /** Opens the file again; undefined where that must be tried later. */
  reopen(): Opened | undefined {
    const { disk, health, reopened } = this.#parts;
    try {
      const opened = disk.reopen(this.#damage);
      this.#damage = undefined;
      this.suspicion.succeeded("reopen");
      if (opened.ruin !== undefined) this.suspicion.clear();
      health.storing();
      reopened(opened.ruin);
      return opened;
    } catch (error) {
      this.#isTooMuch(error, "reopen");
      const problem = `The buffer can't be opened again (${messageOf(error)}).`;
      health.enter("failed", problem, { err: error }, MEANWHILE);
      return undefined;
    }
  }

  /** True where the file is to be set aside. */
  #isTooMuch(error: unknown, task: Task): boolean {
    const kind = failureKind(error);
    if (kind === "full" || kind === "failed" || !this.suspicion.failed(task, kind)) return false;
    this.#damage = messageOf(error);
    return true;
  }
}

function resumePages(store: Store): number {
  return Math.floor(store.maxPages * RESUME_SHARE);
}

function isQuotaFull({ store }: Disk): boolean {
  try {
    return store !== undefined && store.roomPages() <= 0;
  } catch {
    return false;
  }
}
