/** Files that a command line names: what is wrong with one is the user's to cure, and no defect. */

import { once } from "node:events";
import { accessSync, constants, createWriteStream, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { unreadable } from "../config/files.ts";
import { codeOf, EXIT, Fault } from "../errors.ts";

/** What was named is not there or is no file: wrong usage. All else is a failure of the system. */
const WRONG_NAME = ["ENOENT", "ENOTDIR", "EISDIR"];

/** Throws a Fault where `file` is no file that this user may read. `hint`: what to name instead. */
export function assertReadable(file: string, hint: string): void {
  if (file === "") throw noName(hint);
  try {
    const stat = statSync(file);
    if (!stat.isFile()) {
      const what = stat.isDirectory() ? "a folder" : "no file on a disk";
      throw new Fault("cli.file", `${file} is ${what}`, { hint, exitCode: EXIT.usage });
    }
    accessSync(file, constants.R_OK);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("cli.file", unreadable(file, error), { hint, exitCode: exitCodeOf(error), cause: error });
  }
}

/** Opens `file` anew, lets `write` fill it, and closes it; throws a Fault where the system refuses. */
export async function writeNamed<T>(file: string, write: (out: Writable) => Promise<T>): Promise<T> {
  if (file === "") throw noName("name a file to write");
  const out = createWriteStream(file);
  try {
    await once(out, "open");
    // Before anything is written, so that no error finds nobody who listens.
    const closed = finished(out);
    closed.catch(() => {});
    const result = await write(out);
    out.end();
    await closed;
    return result;
  } catch (error) {
    out.destroy();
    throw error instanceof Fault || out.errored !== error ? error : unwritable(file, error);
  }
}

/** True where both names lead to one file. */
export function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}

export function unwritable(file: string, error: unknown): Fault {
  const [message, hint] = whyUnwritable(file, codeOf(error));
  return new Fault("cli.file", message, { hint, exitCode: exitCodeOf(error), cause: error });
}

function whyUnwritable(file: string, code: string | undefined): [message: string, hint: string] {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return [`there is no folder ${dirname(file)}`, "make it first, or name another file"];
    case "EISDIR":
      return [`${file} is a folder`, "name a file in it"];
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return [
        `this user may not write ${file}`,
        "name a file in a folder of your own, or run this with sudo",
      ];
    case "ENOSPC":
    case "EDQUOT":
      return [
        `there is no room for ${file}; what is there of it is incomplete`,
        "make room (df -h), or name a file on another disk",
      ];
    default:
      return [
        `${file} can't be written (${code ?? "unknown"})`,
        "look at the disk (dmesg), or name a file on another one",
      ];
  }
}

function noName(hint: string): Fault {
  return new Fault("cli.file", "the file has no name", { hint, exitCode: EXIT.usage });
}

function exitCodeOf(error: unknown): number {
  return WRONG_NAME.includes(codeOf(error) ?? "") ? EXIT.usage : EXIT.failed;
}
