/** What is done while nobody waits: the ballast is made again, free pages go back to the file system. Small steps. */

import type { Logger } from "pino";
import type { Ballast } from "./ballast.ts";
import { PAGE_BYTES } from "./connection.ts";
import type { Store } from "./store.ts";

/** What a disk that was full must have free besides the ballast before it is counted on again. Bytes. */
export const RESUME_BYTES = 1024 * 1024;
/** Free pages kept in the file: they are used again sooner than they could be given back. */
export const KEPT_FREE_PAGES = (4 * 1024 * 1024) / PAGE_BYTES;
const SHRINK_PAGES = (1024 * 1024) / PAGE_BYTES;
const STEP_MS = 25;
const REST_MS = 1000;
/** After the disk refused the ballast. */
const RETRY_MS = 60_000;

export class Housekeeping {
  readonly #ballast: Ballast;
  readonly #log: Logger;
  #seenCommits = 0;
  #shrunk = false;

  constructor(ballast: Ballast, log: Logger) {
    this.#ballast = ballast;
    this.#log = log;
  }

  /** One piece of work; when the next is due, ms. Throws SQLite's error. */
  step(store: Store, commits: number): number {
    if (!this.#ballast.isWhole) return this.#fillBallast();
    const idle = commits === this.#seenCommits;
    this.#seenCommits = commits;
    return idle ? this.#shrink(store) : REST_MS;
  }

  #fillBallast(): number {
    try {
      if (this.#ballast.hasRoomFor(RESUME_BYTES)) return this.#ballast.fill() ? STEP_MS : REST_MS;
      this.#log.warn(
        "The disk has no room for the buffer's ballast: should it fill up, readings wait until someone makes room.",
      );
    } catch (error) {
      this.#log.warn({ err: error }, "The buffer's ballast could not be written.");
    }
    return RETRY_MS;
  }

  #shrink(store: Store): number {
    const goesOn = store.freePages() > KEPT_FREE_PAGES;
    // The file itself grows smaller only when the log is moved; and a step writes so many pages that the log, unless it is
    // moved before each, would outgrow its size.
    if (goesOn || this.#shrunk) store.checkpoint("PASSIVE");
    if (goesOn) store.shrink(SHRINK_PAGES);
    this.#shrunk = goesOn;
    return goesOn ? STEP_MS : REST_MS;
  }
}
