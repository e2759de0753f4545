import { existsSync } from "node:fs";
import type { Logger } from "pino";
import { Fault, messageOf } from "../errors.ts";
import { Ballast, freeBytes } from "./ballast.ts";
import { DurableBuffer } from "./buffer.ts";
import { failureKind, fullDiskProblem } from "./failure.ts";
import { sizeOf } from "./files.ts";
import { OwnerLock } from "./lock.ts";
import { FILE_SYNCS, type Syncs } from "./log-sync.ts";
import { Opener, prepareFolder, type Reopened } from "./open-file.ts";
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
  syncs?: Syncs;
}

const VANISHED = {
  level: "error",
  sentence: "The buffer that was here is gone or empty; a new one was begun.",
} as const;

/**
 * Opens the buffer, makes it if there is none, and recovers it if it is damaged. Throws a Fault: `buffer.locked` if another
 * process owns it, `buffer.newer` for a schema this program doesn't know, `buffer.foreign` for another program's file,
 * `buffer.unwritable` and `buffer.not_durable` if it could not keep its promise here.
 */
export function openBuffer(settings: BufferSettings, deps: BufferDeps): ReadingBuffer {
  const given = { random: Math.random, timers: EVENT_LOOP, freeBytes, syncs: FILE_SYNCS, ...deps };
  const { path, maxBytes, ballastBytes } = settings;
  prepareFolder(path);
  const vanished = isVanished(path);
  const lock = OwnerLock.take(path);
  try {
    const opener = new Opener(path, maxBytes, given);
    const found = openOnFullDisk(
      opener,
      new Ballast(`${path}.ballast`, ballastBytes, given.freeBytes),
      given.log,
    );
    const opened = vanished ? { ...found, note: VANISHED } : found;
    const buffer = new DurableBuffer({ ...given, settings, lock, opened, opener });
    buffer.start();
    return buffer;
  } catch (error) {
    lock.release();
    throw error instanceof Fault ? error : unusable(path, error);
  }
}

/** A full disk refuses the opening too, for it writes: then the ballast is given up first. */
function openOnFullDisk(opener: Opener, ballast: Ballast, log: Logger): Reopened {
  try {
    return opener.open();
  } catch (error) {
    if (failureKind(error) === "full" ? !ballast.release() : !ballast.releaseIfDiskIsFull()) throw error;
    log.warn({ err: error }, "The disk is full: the buffer's ballast is given up to open it.");
    return opener.open();
  }
}

function unusable(path: string, error: unknown): Fault {
  const [message, tip] =
    failureKind(error) === "full"
      ? [fullDiskProblem(path), "Make room on it"]
      : [
          `the buffer ${path} can't be opened: ${messageOf(error)}`,
          "See whether the disk is full or failing (dmesg)",
        ];
  const hint = `${tip}, then start again: nothing was lost by this attempt.`;
  return new Fault("buffer.unusable", message, { hint, retry: true, cause: error });
}

/** True if the lock of an earlier buffer is there and the buffer is not. */
function isVanished(path: string): boolean {
  return existsSync(`${path}.lock`) && sizeOf(path) + sizeOf(`${path}-wal`) === 0;
}
