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

const FULL = /^(SQLITE_FULL|ENOSPC|EDQUOT)$/;
const MALFORMED = /^SQLITE_(CORRUPT|NOTADB$)/;
const DAMAGED = /^(SQLITE_(CONSTRAINT|MISMATCH$|TOOBIG$)|buffer\.(damaged|older)$)/;
/** What SQLite makes of a read that failed; of `EIO` it makes CORRUPTFS, and in places `SQLITE_CORRUPT`. */
const UNREADABLE = /^(SQLITE_IOERR_(CORRUPTFS|READ|SHORT_READ|DATA)|EIO)$/;

/** While the file is in use. */
export function failureKind(error: unknown): FailureKind {
  const code = codeOf(error) ?? "";
  if (FULL.test(code)) return "full";
  if (MALFORMED.test(code)) return "malformed";
  if (DAMAGED.test(code)) return "damaged";
  return UNREADABLE.test(code) ? "unreadable" : "failed";
}

/**
 * While an existing file is being opened: a statement that doesn't fit its tables, too, tells that it is not ours any more,
 * and a file that can't be read is of no more use than one that is wrong.
 */
export function isUnusableFile(error: unknown): boolean {
  const isDamaged = ["malformed", "damaged", "unreadable"].includes(failureKind(error));
  return isDamaged || codeOf(error) === "SQLITE_ERROR";
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
