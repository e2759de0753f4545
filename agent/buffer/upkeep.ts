/** What is done while nobody waits: the ballast is made again, free pages go back to the file system. Small steps. */

import type { Logger } from "pino";
import { Alarm } from "./alarm.ts";
import type { Ballast } from "./ballast.ts";
import type { Committer } from "./committer.ts";
import type { Disk } from "./disk.ts";
import type { Health } from "./health.ts";
import type { Timers } from "./timers.ts";
import { RESUME_BYTES } from "./trouble.ts";

/** Free pages kept in the file: they are used again sooner than they could be given back. */
export const KEPT_FREE_PAGES = 1024;
const SHRINK_PAGES = 256;
const STEP_MS = 25;
const REST_MS = 1000;
/** After the disk refused the ballast. */
const RETRY_MS = 60_000;

export interface UpkeepParts {
  disk: Disk;
  health: Health;
  ballast: Ballast;
  committer: Committer;
  log: Logger;
  timers: Timers;
  now(): number;
}

export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #alarm: Alarm;
  #seenCommits = 0;
  #shrunk = false;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts, () => this.#alarm.set(this.#step()));
  }

  start(): void {
    this.#alarm.set(STEP_MS);
  }

  stop(): void {
    this.#alarm.stop();
  }

  /** One piece of work; when the next is due, ms. */
  #step(): number {
    const { health, ballast, disk, committer } = this.#parts;
    if (disk.store === undefined) return REST_MS;
    try {
      disk.own();
    } catch (error) {
      committer.failed(error, "upkeep");
    }
    if (health.state !== "storing" || disk.store === undefined) return REST_MS;
    if (!ballast.isWhole) return this.#fillBallast();
    const { commits } = committer.times;
    const idle = commits === this.#seenCommits;
    this.#seenCommits = commits;
    return idle ? this.#shrink() : REST_MS;
  }

  #fillBallast(): number {
    const { ballast, log } = this.#parts;
    try {
      if (ballast.hasRoomFor(RESUME_BYTES)) return ballast.fill() ? STEP_MS : REST_MS;
      log.warn(
        "The disk has no room for the buffer's ballast: should it fill up, readings wait until someone makes room.",
      );
    } catch (error) {
      log.warn({ err: error }, "The buffer's ballast could not be written.");
    }
    return RETRY_MS;
  }

  #shrink(): number {
    const { disk, committer } = this.#parts;
    try {
      const { store } = disk;
      if (store === undefined) return REST_MS;
      if (store.freePages() > KEPT_FREE_PAGES) {
        store.shrink(SHRINK_PAGES);
        this.#shrunk = true;
        return STEP_MS;
      }
      // The file itself grows smaller only when the log is moved.
      if (this.#shrunk) store.checkpoint("PASSIVE");
      this.#shrunk = false;
      return REST_MS;
    } catch (error) {
      committer.failed(error, "upkeep");
      return REST_MS;
    }
  }
}
