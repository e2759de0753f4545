/** Files set aside: named with their date, read to the end, reported on, and kept. */

import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Files kept after they were read to the end, so that a failing card doesn't fill itself with its own ruins. */
export const KEPT_ASIDE = 2;

const PARTS = ["", "-wal", "-shm", ".json"];

/** Name of the file set aside; its log, where there is one, lies beside it as `<name>-wal`. */
export function setAside(path: string, nowMs: number): string {
  const name = freeName(path, nowMs);
  const target = join(dirname(path), name);
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${target}-wal`);
  if (existsSync(path)) renameSync(path, target);
  rmSync(`${path}-shm`, { force: true });
  return name;
}

/** Copies the log of a file that stays in use, before SQLite cuts off what it can't read; the copy's name without `-wal`. */
export function copyLogAside(path: string, nowMs: number): string {
  const name = freeName(path, nowMs);
  copyFileSync(`${path}-wal`, join(dirname(path), `${name}-wal`));
  return name;
}

/** Files set aside that have no report yet, oldest first. */
export function unreadFiles(path: string): string[] {
  return asideFiles(path).filter((file) => !hasReport(path, file));
}

/** Marks the file as read to the end, with what came of it. */
export function writeReport(path: string, file: string, report: object): void {
  writeFileSync(join(dirname(path), `${file}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
  rmSync(join(dirname(path), `${file}-shm`), { force: true });
}

/** Deletes all but the newest files that were read to the end; the names of those deleted. */
export function prune(path: string): string[] {
  const read = asideFiles(path).filter((file) => hasReport(path, file));
  const old = read.slice(0, -KEPT_ASIDE);
  for (const file of old) {
    for (const part of PARTS) rmSync(join(dirname(path), `${file}${part}`), { force: true });
  }
  return old;
}

/** Names of all files set aside, oldest first. */
export function asideFiles(path: string): string[] {
  const prefix = `${basename(path)}.damaged-`;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix));
  return [...new Set(names.map((name) => name.replace(/(-wal|-shm|\.json)$/, "")))].sort();
}

function hasReport(path: string, file: string): boolean {
  return existsSync(join(dirname(path), `${file}.json`));
}

function freeName(path: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const name = `${basename(path)}.damaged-${stamp}`;
  const taken = new Set(asideFiles(path));
  for (let copy = 1; ; copy++) {
    const candidate = copy === 1 ? name : `${name}-${copy}`;
    if (!taken.has(candidate)) return candidate;
  }
}
