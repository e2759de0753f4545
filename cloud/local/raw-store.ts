/** The raw bucket's place: a folder of objects that are written once, whole, and never changed. */

import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../agent/errors.ts";
import { LAYOUT, rawFolderAt, rawObjectName } from "../layout.ts";

export class RawStore {
  /** Objects' keys are paths below it. */
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** The object's path on this machine. */
  path(object: string): string {
    return join(this.root, object);
  }

  /** A key for an object whose oldest record arrived at `arrivedMs`. */
  newKey(arrivedMs: number): string {
    return `${rawFolderAt(arrivedMs)}/${rawObjectName(arrivedMs, randomUUID())}`;
  }

  /** The keys of all raw objects, in order. */
  async list(): Promise<string[]> {
    let folders = [LAYOUT.rawFolder];
    for (const { name } of LAYOUT.rawPartitions)
      folders = await this.#below(folders, (found) => found.startsWith(`${name}=`));
    return (await this.#below(folders, (found) => found.endsWith(".gz"))).sort();
  }

  async #below(folders: readonly string[], wanted: (name: string) => boolean): Promise<string[]> {
    const names = await Promise.all(folders.map((folder) => namesIn(this.path(folder))));
    return names.flatMap((found, index) => found.filter(wanted).map((name) => `${folders[index]}/${name}`));
  }
}

/** The names in a folder; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}
