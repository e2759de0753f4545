/** Tells what kind of failure SQLite or the system reports, in codes and in words; decisions rest on codes alone. */

import { accessSync, constants, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf, messageOf } from "../errors.ts";

/**
 * full: the quota or the disk has no room. damaged: the file is not what we wrote. malformed: SQLite says so, who says the same
 * of a page that it could not read. unreadable: the disk does not give a part of the file. failed: the disk or the system
 * refuses, the file may be fine.
 */
export type FailureKind = "full" | "damaged" | "malformed" | "unreadable" | "failed";

/** While the file is in use. */
export function failureKind(error: unknown): FailureKind {
  const code = codeOf(error) ?? "";
  if (code === "SQLITE_FULL" || code === "ENOSPC" || code === "EDQUOT") return "full";
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB") return "malformed";
  if (isDamage(code)) return "damaged";
  return isUnreadable(code) ? "unreadable" : "failed";
}

/**
 * While an existing file is being opened: a statement that doesn't fit its tables, too, tells that it is not ours any more,
 * and a file that can't be read is of no more use than one that is wrong.
 */
export function isUnusableFile(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return isDamage(code) || isUnreadable(code) || code === "SQLITE_ERROR";
}

/** What SQLite makes of a read that failed; of `EIO` it makes CORRUPTFS, and in places `SQLITE_CORRUPT`. */
const UNREADABLE = [
  "SQLITE_IOERR_CORRUPTFS",
  "SQLITE_IOERR_READ",
  "SQLITE_IOERR_SHORT_READ",
  "SQLITE_IOERR_DATA",
  "EIO",
];

/** True if the disk does not give what stands on it. */
function isUnreadable(code: string): boolean {
  return UNREADABLE.includes(code);
}

function isDamage(code: string): boolean {
  return (
    code.startsWith("SQLITE_CORRUPT") ||
    code.startsWith("SQLITE_CONSTRAINT") ||
    code === "SQLITE_NOTADB" ||
    code === "SQLITE_MISMATCH" ||
    code === "SQLITE_TOOBIG" ||
    code === "buffer.damaged" ||
    code === "buffer.older"
  );
}

/** Why there is no room on the disk that holds `path`, one sentence. */
export function fullDiskProblem(path: string): string {
  if (hasNoInodes(path)) return `The disk that holds ${path} has no inodes left: it holds too many files.`;
  return `The disk that holds ${path} is full.`;
}

export function hasNoInodes(path: string): boolean {
  try {
    const { bavail, files, ffree } = statfsSync(dirname(path));
    return files > 0 && ffree === 0 && bavail > 0;
  } catch {
    return false;
  }
}

/** What the failure means for the reader, one sentence. */
export function failureProblem(error: unknown, path: string): string {
  const code = codeOf(error);
  if (code === "buffer.locked") return `Another process took the buffer away: ${messageOf(error)}.`;
  if (isReadOnly(path)) return `The disk that holds ${path} is mounted read-only.`;
  if (code === "buffer.replaced") return `${messageOf(error)}.`;
  return `The disk refuses to store or to give readings (${messageOf(error)}).`;
}

/** True if the file system that holds `path` takes no writes at all. */
export function isReadOnly(path: string): boolean {
  try {
    accessSync(dirname(path), constants.W_OK);
    return false;
  } catch (error) {
    return codeOf(error) === "EROFS";
  }
}

/** What was being done; each is trusted again when it succeeds. */
export type Task = "lease" | "commit" | "sync" | "change" | "upkeep" | "reopen";

/** Failures of one task, with no success between them, from which on the file is quarantined. */
export const TRIES = { damaged: 1, malformed: 2, unreadable: 5 } as const;

/**
 * SQLite reports a sector that could not be read as damage in places, and a disk under strain gives the next time what it
 * refused before; so the same thing is tried again on the file opened anew, and only if it fails again is the file given up.
 */
export class FailureCounter {
  readonly #failures = new Map<Task, number>();

  /** True while something failed that has not succeeded since. */
  get hasFailures(): boolean {
    return this.#failures.size > 0;
  }

  /** Counts a failure; true if it is one too many. */
  failed(task: Task, error: unknown): boolean {
    const kind = failureKind(error);
    if (kind === "full" || kind === "failed" || task === "sync") return false;
    const failures = (this.#failures.get(task) ?? 0) + 1;
    this.#failures.set(task, failures);
    return failures >= TRIES[kind];
  }

  succeeded(task: Task): void {
    if (this.#failures.size > 0) this.#failures.delete(task);
  }

  /** The file is another one. */
  clear(): void {
    this.#failures.clear();
  }
}
