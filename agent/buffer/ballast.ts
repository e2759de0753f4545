/**
 * A file that holds a place on the disk. A full disk refuses DELETE and checkpoint too, so a buffer on it could never
 * empty itself; giving the ballast up makes the room to ship, delete and go on.
 */

import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "pino";
import { LOG_BYTES } from "./connection.ts";
import { FILE_MODE, sizeOf } from "./files.ts";

const CHUNK_BYTES = 256 * 1024;
/** Until the next piece, until the whole is looked at again, and after the disk refused one, ms. */
const STEP_MS = 25;
const REST_MS = 1000;
const RETRY_MS = 60_000;

/** Smaller would not carry a checkpoint of the largest log: the log's own room and the file's. Bytes. */
export const LEAST_BALLAST_BYTES = 2 * LOG_BYTES;

/** What a disk that was full must have free besides the ballast before it is counted on again. Bytes. */
export const RESUME_BYTES = 1024 * 1024;

/** Bytes an ordinary user may still write to the file system that holds `path`. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

export class Ballast {
  readonly #path: string;
  readonly #bytes: number;
  readonly #freeBytes: (path: string) => number;

  /** `bytes` 0 for none; anything else is at least `LEAST_BALLAST_BYTES`. */
  constructor(path: string, bytes: number, free: (path: string) => number = freeBytes) {
    this.#path = path;
    this.#bytes = bytes === 0 ? 0 : Math.max(bytes, LEAST_BALLAST_BYTES);
    this.#freeBytes = free;
  }

  /** Gives the room back to the disk; false where there was none to give. */
  release(): boolean {
    const had = sizeOf(this.#path) > 0;
    rmSync(this.#path, { force: true });
    return had;
  }

  /** The same if the disk has no room left, whatever else was complained of. */
  releaseIfDiskIsFull(): boolean {
    return this.#freeBytes(this.#path) < CHUNK_BYTES && this.release();
  }

  /** True where the disk has room for `bytes` besides the ballast's own. */
  hasRoomFor(bytes: number): boolean {
    return this.#freeBytes(this.#path) >= bytes + this.#bytes - sizeOf(this.#path);
  }

  /** Writes the next piece of what is missing, if there is room; when to look again, ms. */
  keep(log: Logger): number {
    try {
      const missing = this.#bytes - sizeOf(this.#path);
      if (missing <= 0) return REST_MS;
      if (this.hasRoomFor(RESUME_BYTES)) {
        this.#add(Math.min(missing, CHUNK_BYTES));
        return STEP_MS;
      }
      log.warn(
        "The disk has no room for the buffer's ballast: should it fill up, readings wait until someone makes room.",
      );
    } catch (error) {
      log.warn({ err: error }, "The buffer's ballast could not be written.");
    }
    return RETRY_MS;
  }

  /** Really allocated; piece by piece, so that a slow card does not keep readings waiting. */
  #add(bytes: number): void {
    const file = openSync(this.#path, "a", FILE_MODE);
    try {
      // Not zeros: some file systems keep those as a hole.
      writeSync(file, Buffer.alloc(bytes, "windfarm ballast "));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
}
