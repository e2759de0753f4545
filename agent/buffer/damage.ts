/** Tells what kind of failure SQLite reports; decisions rest on its codes alone. */

import { codeOf } from "../errors.ts";

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
 * While an existing file is being opened: a statement that doesn't fit its tables, too, says that it is not ours any more,
 * and a file that can't be read is of no more use than one that is wrong.
 */
export function isUnusableFile(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return isDamage(code) || isUnreadable(code) || code === "SQLITE_ERROR" || code === "SQLITE_READONLY";
}

/** What SQLite makes of a read that failed; of `EIO` it makes CORRUPTFS, and in places `SQLITE_CORRUPT`. */
const UNREADABLE = [
  "SQLITE_IOERR_CORRUPTFS",
  "SQLITE_IOERR_READ",
  "SQLITE_IOERR_SHORT_READ",
  "SQLITE_IOERR_DATA",
  "EIO",
];

/** True where the disk does not give what stands on it. */
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
    code === "buffer.damaged"
  );
}
