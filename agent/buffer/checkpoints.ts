/**
 * When the log is moved into the file. Not SQLite's own automatic checkpoint: that one runs before COMMIT returns, so
 * senders would wait for it, and it swallows its errors.
 */

import { CHECKPOINT_PAGES, PAGE_BYTES } from "./connection.ts";
import type { Store } from "./store.ts";

/** Pages a transaction writes besides its bodies: leaves of the tables, the page of the accounts. */
const PAGES_PER_COMMIT = 4;

export class Checkpoints {
  #pages = 0;

  /** Counts a commit's bytes; moves the log when there is enough. Throws where the disk refuses. */
  committed(store: Store, bodyBytes: number): void {
    this.#pages += PAGES_PER_COMMIT + Math.ceil(bodyBytes / PAGE_BYTES);
    if (this.#pages >= CHECKPOINT_PAGES) this.run(store);
  }

  run(store: Store): void {
    const { logPages, movedPages } = store.checkpoint("PASSIVE");
    // What a reader holds back is tried again after as many pages more.
    this.#pages = Math.min(logPages - movedPages, CHECKPOINT_PAGES / 2);
  }
}
