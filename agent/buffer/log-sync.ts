/**
 * Our own descriptors on SQLite's log, and its syncs by the thread pool.
 *
 * Two of them, for the kernel reports an error of writing once to each descriptor: a sync at a stop, which has to block, must
 * not miss what one under way beside the loop was told. Closing them is harmless: SQLite's locks are on other files.
 */

import { closeSync, fdatasync, fdatasyncSync, fstatSync, openSync, writeSync } from "node:fs";
import { LOG_BYTES } from "./connection.ts";
import { inodeOf } from "./files.ts";

/** How a descriptor is synced; handed in, so that a test can let it fail. */
export interface Syncs {
  beside(descriptor: number, done: (error: Error | null) => void): void;
  now(descriptor: number): void;
}

export const FILE_SYNCS: Syncs = { beside: fdatasync, now: fdatasyncSync };

const CHUNK = Buffer.alloc(256 * 1024);

export class LogSync {
  readonly #path: string;
  readonly #syncs: Syncs;
  readonly #beside: number;
  readonly #blocking: number;
  readonly #inode: number;
  #isUnderWay = false;
  #isClosed = false;

  /** `path`: of the log, which must exist. */
  constructor(path: string, syncs: Syncs) {
    this.#path = path;
    this.#syncs = syncs;
    this.#beside = openSync(path, "r+");
    try {
      this.#blocking = openSync(path, "r+");
    } catch (error) {
      closeSync(this.#beside);
      throw error;
    }
    this.#inode = fstatSync(this.#beside).ino;
  }

  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** False if the log was deleted or replaced: what is synced here would be found by nobody. */
  get isInPlace(): boolean {
    return inodeOf(this.#path) === this.#inode;
  }

  /** Syncs beside the loop; one at a time. `done` is not called once `close` was. */
  start(done: (error: Error | null) => void): void {
    this.#isUnderWay = true;
    this.#syncs.beside(this.#beside, (error) => {
      this.#isUnderWay = false;
      if (this.#isClosed) closeSync(this.#beside);
      else done(error);
    });
  }

  /** Syncs on this thread. */
  now(): void {
    this.#syncs.now(this.#blocking);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#blocking);
    if (!this.#isUnderWay) closeSync(this.#beside);
  }
}

/**
 * Brings the log to its full size with zeros, for a growing file costs the file system's journal each time. Only while the
 * caller holds SQLite's write lock: nobody else may be appending.
 */
export function extendLog(path: string): void {
  const log = openSync(path, "r+");
  try {
    for (let at = fstatSync(log).size; at < LOG_BYTES; ) {
      at += writeSync(log, CHUNK, 0, Math.min(CHUNK.length, LOG_BYTES - at), at);
    }
    fdatasyncSync(log);
  } finally {
    closeSync(log);
  }
}
