/** Files that are written whole or not at all. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { unwritable } from "./named-files.ts";

/** Its writer's alone until `settle` has given it away. */
const MODE = 0o600;

/**
 * Puts `text` in the place of `file`; it is on the disk when this returns. `settle` gives the new file, still under another
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
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(beside, { force: true });
    throw unwritable(file, error);
  }
}

/** A name that was changed is on the disk once its folder is. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
