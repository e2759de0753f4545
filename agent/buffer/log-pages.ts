/**
 * When the log is moved into the file. Not SQLite's own automatic checkpoint: that one runs before COMMIT returns, so
 * senders would wait for it, and it swallows its errors.
 */

import { CHECKPOINT_PAGES, PAGE_BYTES } from "./connection.ts";
import type { Outcome } from "./transaction.ts";

export class LogPages {
  #pages = 0;

  get isDue(): boolean {
    return this.#pages >= CHECKPOINT_PAGES;
  }

  /** Counts what a transaction writes, roughly: its rows, the leaves of the tables, the page of the accounts. */
  add({ stateWritten, settled, droppedKeys }: Outcome, bodyBytes: number): void {
    const deleted = settled.length + droppedKeys.length;
    this.#pages += 1 + Math.ceil(bodyBytes / PAGE_BYTES) + (stateWritten ? 2 : 0) + Math.ceil(deleted / 4);
  }

  moved({ logPages, movedPages }: { logPages: number; movedPages: number }): void {
    // What a reader holds back is tried again after as many pages more.
    this.#pages = Math.min(logPages - movedPages, CHECKPOINT_PAGES / 2);
  }
}
