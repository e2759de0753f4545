/** Files that are written whole or not at all. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { unwritable } from "./named-files.ts";

/** Its writer's alone until `settle` has given it away. */
const MODE = 0o600;

/**
 * Puts `text` in the place of `file`; it is on the disk when this returns, as far as its folder lets us see to it. `settle` gives the new file, still under another
 * name, its owner and mode. Throws Fault `cli.file`, with what was there left as it was.
 */
export function replaceFile(file: string, text: string, settle: (beside: string) => void): void {
  const beside = `${file}.new`;
  try {
    rmSync(beside, { force: true });
    const descriptor = openSync(beside, "wx", MODE);
    try {
      writeFileSync(descriptor, text);
      settle(beside);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw unwritable(file, error);
  }
  syncFolder(dirname(file));
}

/** A name that was changed is on the disk once its folder is. Where we may not read the folder, the system writes it in its time. */
function syncFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, "r");
    fsyncSync(descriptor);
  } catch {
    // The file is in its place all the same.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
