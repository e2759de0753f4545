import { existsSync, statSync } from "node:fs";
import type { Logger } from "pino";
import { Fault } from "../errors.ts";
import { freeBytes } from "./ballast.ts";
import { DurableBuffer } from "./buffer.ts";
import { OwnerLock } from "./lock.ts";
import { prepareFolder } from "./open-store.ts";
import { Opener } from "./opener.ts";
import { READ_DISK, type ReadSectors } from "./sectors.ts";
import { EVENT_LOOP, type Timers } from "./timers.ts";
import type { BufferSettings, ReadingBuffer } from "./types.ts";

export interface BufferDeps {
  /** ms since 1970. */
  now(): number;
  log: Logger;
  /** Names epochs; from 0 up to but not including 1. Default `Math.random`. */
  random?(): number;
  timers?: Timers;
  /** Bytes free on the file system that holds a path. */
  freeBytes?(path: string): number;
  /** Reads a log, and a file that was set aside, without SQLite. */
  readSectors?: ReadSectors;
}

/**
 * Opens the buffer, makes it where there is none, and recovers it where it is damaged. Throws a Fault: `buffer.locked`
 * where another process owns it, `buffer.newer` for a schema this program doesn't know, `buffer.foreign` for another
 * program's file, `buffer.unwritable` and `buffer.not_durable` where it could not keep its promise here.
 */
export function openBuffer(settings: BufferSettings, deps: BufferDeps): ReadingBuffer {
  const { now, log, random = Math.random, timers = EVENT_LOOP, freeBytes: free = freeBytes } = deps;
  const { readSectors = READ_DISK } = deps;
  const { path, maxBytes } = settings;
  prepareFolder(path);
  const vanished = isVanished(path);
  const lock = OwnerLock.take(path);
  try {
    const opener = new Opener(path, maxBytes, { now, random, readSectors });
    const buffer = new DurableBuffer({
      settings,
      lock,
      opened: opener.open(),
      reopen: (usedKeys, problem) => opener.open(usedKeys, problem),
      log,
      timers,
      now,
      freeBytes: free,
      readSectors,
    });
    buffer.start(vanished);
    return buffer;
  } catch (error) {
    lock.release();
    if (error instanceof Fault) throw error;
    throw new Fault(
      "buffer.unusable",
      `the buffer ${path} can't be opened: ${error instanceof Error ? error.message : error}`,
      {
        hint: "See whether the disk is full or failing (dmesg), then start again: nothing was lost by this attempt.",
        retry: true,
        cause: error,
      },
    );
  }
}

/** True where the lock of an earlier buffer is there and the buffer is not. */
function isVanished(path: string): boolean {
  const bytes = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return existsSync(`${path}.lock`) && bytes(path) + bytes(`${path}-wal`) === 0;
}
