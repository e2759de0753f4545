/**
 * The buffer's files on the disk: how large, which one lies there, and who may read them: owner and group, whatever the umask.
 * SQLite gives log and index the file's rights.
 */

import { chmodSync, closeSync, openSync, statSync } from "node:fs";

/** At most. */
export const FILE_MODE = 0o640;

/** Takes rights from the file that nobody needs, or makes it with no more. */
export function restrict(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) closeSync(openSync(path, "wx", FILE_MODE));
  else if ((stat.mode & 0o777 & ~FILE_MODE) !== 0 && stat.uid === process.getuid?.())
    chmodSync(path, stat.mode & FILE_MODE);
}

/** Bytes; 0 if there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Tells a file from another one in its place; 0 if there is none. */
export function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}
