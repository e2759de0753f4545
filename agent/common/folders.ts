/** Folders that are made where they are missing. */

import { existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes `folder` and those above it. Throws what the system says. Node's own way (`recursive: true`) never ends in folders
 * such as /proc, whose system answers ENOENT although the folder above is there.
 */
export function makeFolders(folder: string, mode?: number): void {
  const path = resolve(folder);
  if (!existsSync(dirname(path))) makeFolders(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // There already, perhaps made by somebody else just now; what can't be used as a folder, its user will hear.
    if (!existsSync(path)) throw error;
  }
}
