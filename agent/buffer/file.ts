/** The open file, its log's descriptor and its lock; closes them when the file fails and opens them again. */

import { rmSync } from "node:fs";
import type { Database } from "better-sqlite3";
import type { Logger } from "pino";
import { Fault } from "../errors.ts";
import { CHECKPOINT_PAGES, PAGE_BYTES } from "./connection.ts";
import { inodeOf } from "./files.ts";
import type { OwnerLock } from "./lock.ts";
import { LogSync, type Syncs } from "./log-sync.ts";
import type { Opener, Reopened } from "./open-file.ts";
import type { State } from "./state.ts";
import type { Store } from "./store.ts";
import type { Outcome } from "./transaction.ts";

export interface FileParts {
  path: string;
  opened: Reopened;
  opener: Pick<Opener, "open">;
  lock: OwnerLock;
  syncs: Syncs;
  log: Logger;
}

interface Open {
  store: Store;
  log: LogSync;
  inode: number;
}

export class BufferFile {
  readonly #parts: FileParts;
  #open: Open | undefined;
  /** A file that is no longer in its place: its connection, and why what lies there must be quarantined. */
  #detached: { db: Database; problem: string | undefined } | undefined;
  /** Written to the log since it was moved into the file, roughly. */
  #logPages = 0;

  constructor(parts: FileParts) {
    this.#parts = parts;
    this.#open = this.#take(parts.opened.store);
    parts.opened.taken?.();
  }

  /** The open file; undefined while it can't be used. */
  get store(): Store | undefined {
    return this.#open?.store;
  }

  get log(): LogSync | undefined {
    return this.#open?.log;
  }

  /** Throws `buffer.locked` if the file is another process' meanwhile: nothing may be written then. */
  retakeLock(): void {
    this.#parts.lock.retake();
  }

  /** Throws `buffer.replaced` if file or log are not those that we write: nothing there may be acknowledged. */
  checkPlace(): void {
    const open = this.#open;
    if (open === undefined || (inodeOf(this.#parts.path) === open.inode && open.log.isInPlace)) return;
    throw new Fault("buffer.replaced", `somebody deleted or replaced ${this.#parts.path} or its log`, {
      hint: "What it held is saved into a new file as far as it can be read; see who did it.",
    });
  }

  /** A transaction was committed: its rows, the leaves of the tables, the page of the accounts are in the log. */
  wrote({ batch, stateWritten, settled, droppedKeys }: Outcome): void {
    const deleted = settled.length + droppedKeys.length;
    const added = Math.ceil((batch?.body.length ?? 0) / PAGE_BYTES);
    this.#logPages += 1 + added + (stateWritten ? 2 : 0) + Math.ceil(deleted / 4);
  }

  /**
   * Moves the log into the file once it is long; true if it did. Not SQLite's own automatic checkpoint: that one runs before
   * COMMIT returns, so senders would wait for it, and it swallows its errors.
   */
  moveLog(): boolean {
    if (this.#open === undefined || this.#logPages < CHECKPOINT_PAGES) return false;
    const { logPages, movedPages } = this.#open.store.checkpoint("PASSIVE");
    // What a reader holds back is tried again after as many pages more.
    this.#logPages = Math.min(logPages - movedPages, CHECKPOINT_PAGES / 2);
    return true;
  }

  /** Closes the file at once: after a failed sync nothing may be acknowledged on its connection. */
  abandon(): void {
    try {
      this.#open?.log.close();
      this.#open?.store.close();
    } catch (error) {
      this.#parts.log.debug({ err: error }, "The failed file could not be closed in order.");
    }
    this.#open = undefined;
  }

  /**
   * Gives up a file that is no longer in its place, or whose log is not; it can still be read through its connection. Readings
   * behind `lastKey`, of which nobody was told, are deleted: they are stored once more in the new file.
   */
  detach(lastKey: number): void {
    const open = this.#open;
    if (open === undefined) return;
    // A new file must not take up the index, nor the log, that the old connection goes on using: until they are out of the way
    // ours stays open, and whoever looks after its place next tries again.
    if (open.log.isInPlace) rmSync(`${this.#parts.path}-wal`);
    rmSync(`${this.#parts.path}-shm`, { force: true });
    this.#open = undefined;
    open.log.close();
    const { db } = open.store;
    this.#detached = {
      db,
      problem: inodeOf(this.#parts.path) === open.inode ? "its log was deleted" : undefined,
    };
    db.prepare("DELETE FROM groups WHERE key > ?").run(lastKey);
  }

  /**
   * Opens the file after a failure. What its log holds may sit in the system's memory only, for a failed sync marks pages as
   * written that are not; moving the log writes and syncs them once more, so only then is anything believed.
   */
  reopen(known: Readonly<State>, damage?: string): Reopened & { detached: Database | undefined } {
    this.abandon();
    this.#parts.lock.retake();
    const opened = this.#parts.opener.open(known, this.#detached?.problem ?? damage);
    try {
      // While another program moves the log, SQLite moves nothing and tells -1 for both.
      const { busy, logPages, movedPages } = opened.store.checkpoint("PASSIVE");
      if (busy || logPages !== movedPages) {
        throw new Fault("buffer.unverified", "the log could not be moved whole into the file", {
          hint: "End other programs that read the buffer.",
          retry: true,
        });
      }
      this.#open = this.#take(opened.store);
    } catch (error) {
      opened.store.close();
      throw error;
    }
    opened.taken?.();
    const detached = this.#detached?.db;
    this.#detached = undefined;
    return { ...opened, detached };
  }

  /** Empties the log into the file and closes. */
  close(): void {
    try {
      this.#open?.store.checkpoint("TRUNCATE");
    } catch (error) {
      this.#parts.log.warn(
        { err: error },
        "The buffer's log stays for the next start: it could not be moved now.",
      );
    }
    this.abandon();
    this.#parts.lock.release();
  }

  #take(store: Store): Open {
    return {
      store,
      log: new LogSync(`${this.#parts.path}-wal`, this.#parts.syncs),
      inode: inodeOf(this.#parts.path),
    };
  }
}
