/** Files that are there whole or not at all, also after a power cut. */

import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes `bytes` to `path` by way of a neighbour, fsync'd before it takes the name; creates the folder. */
export async function writeDurably(path: string, bytes: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(`${path}.tmp`, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await renameDurably(`${path}.tmp`, path);
}

/** Gives a synced file its name, for good; creates the folder. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  await sync(dirname(to), "r");
}

/** Makes a file another program wrote, and its name, outlive a power cut. */
export async function syncFile(path: string): Promise<void> {
  await sync(path, "r+");
  await sync(dirname(path), "r");
}

async function sync(path: string, flags: "r" | "r+"): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
