/** The gateway's identity in its configuration folder: written whole or not at all, readable by the agent's group. */

import { chmodSync, chownSync, copyFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { unreadable } from "../config/files.ts";
import { codeOf, EXIT, Fault } from "../errors.ts";
import { unwritable } from "./named-files.ts";
import { replaceFile } from "./replace-file.ts";

export const CONFIG_FOLDER = "/etc/windfarm";

/** As `npm run provision` names them. */
export const FILES = {
  config: "agent.config.yaml",
  certificate: "certificate.pem",
  privateKey: "private.key",
  identity: "gateway.json",
} as const;

/** The key a request was made with, until its certificate comes. */
export const NEXT_KEY = "private.key.next";

/** Of files only the agent and root may read; the folder's group is the agent's. */
const MODE = 0o640;

/** The text of a file in `folder`; undefined where there is none. Throws Fault `cli.file` where it can't be read. */
export function readIn(folder: string, name: string): string | undefined {
  const file = join(folder, name);
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    const hint =
      codeOf(error) === "EACCES" ? "run this with sudo" : "name the folder that npm run provision wrote";
    throw new Fault("cli.file", unreadable(file, error), { hint, exitCode: EXIT.failed, cause: error });
  }
}

/** Throws Fault `cli.no_folder` where `folder` is none, and `cli.file` where this user may not write there. */
export function requireFolder(folder: string, hint: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new Fault("cli.no_folder", `there is no folder ${folder}`, { hint, exitCode: EXIT.usage });
}

/** Puts `text` at `name` in `folder`, with the folder's owner and group. */
export function place(folder: string, name: string, text: string): void {
  replaceFile(join(folder, name), text, (beside) => {
    chmodSync(beside, MODE);
    giveAs(folder, beside);
  });
}

/** Keeps what is at `name` as `name.old`. */
export function keepOld(folder: string, name: string): string {
  const old = join(folder, `${name}.old`);
  try {
    copyFileSync(join(folder, name), old);
    chmodSync(old, MODE);
    giveAs(folder, old);
    return old;
  } catch (error) {
    throw unwritable(old, error);
  }
}

function giveAs(folder: string, file: string): void {
  const { uid, gid } = statSync(folder);
  chownSync(file, uid, gid);
}
