/** Sets a damaged file aside under a dated name, with its log, so that nothing is ever deleted that might be read. */

import { existsSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Name of the file set aside; its log, where there is one, lies beside it as `<name>-wal`. */
export function setAside(path: string, nowMs: number): string {
  const name = freeName(path, nowMs);
  const target = join(dirname(path), name);
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${target}-wal`);
  if (existsSync(path)) renameSync(path, target);
  rmSync(`${path}-shm`, { force: true });
  return name;
}

function freeName(path: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const name = `${basename(path)}.damaged-${stamp}`;
  for (let copy = 1; ; copy++) {
    const candidate = copy === 1 ? name : `${name}-${copy}`;
    const target = join(dirname(path), candidate);
    if (!existsSync(target) && !existsSync(`${target}-wal`)) return candidate;
  }
}
