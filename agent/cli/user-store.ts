/** The users file on the disk: written whole or not at all, for its owner alone. */

import { chmodSync, chownSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type ReadUsers, readUsersText } from "../collect/users-file.ts";
import { unreadable } from "../config/files.ts";
import { ConfigFault } from "../config/problems.ts";
import { codeOf, EXIT, Fault } from "../errors.ts";
import { replaceFile } from "./replace-file.ts";

/**
 * Of a new file that root makes: it belongs to its folder's group, which in /etc/windfarm is the agent's. One that is there
 * keeps owner and mode, for the agent must go on reading it.
 */
const SHARED_MODE = 0o640;

export interface StoredUsers extends ReadUsers {
  /** Undefined where there is no file yet. */
  content: string | undefined;
}

/** Throws a ConfigFault with all problems of a file that is not sound: nothing is added to what nobody understands. */
export function readUsersFile(file: string): StoredUsers {
  const content = readIfThere(file);
  const read = readUsersText(content === undefined || content.trim() === "" ? "users: []" : content);
  if (read.problems.length > 0) throw new ConfigFault(read.problems.map((problem) => ({ file, ...problem })));
  return { ...read, content };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    const hint = "name the users file with --file, or run this with sudo";
    const exitCode = codeOf(error) === "EISDIR" ? EXIT.usage : EXIT.failed;
    throw new Fault("cli.file", unreadable(file, error), { hint, exitCode, cause: error });
  }
}

export function writeUsersFile(file: string, content: string): void {
  const before = statSync(file, { throwIfNoEntry: false });
  replaceFile(file, content, (beside) => {
    if (before !== undefined) {
      chownSync(beside, before.uid, before.gid);
      chmodSync(beside, before.mode & 0o777);
    } else if (process.getuid?.() === 0) {
      chownSync(beside, 0, statSync(dirname(file)).gid);
      chmodSync(beside, SHARED_MODE);
    }
  });
}
