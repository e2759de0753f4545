/**
 * Files set aside: named with their date, read to the end, reported on, and kept.
 *
 * Deleted by themselves are only those that were read to the end with nothing lost. All others are kept until somebody
 * moves them away; so that they don't fill the disk, the buffer makes do with what they leave it of twice its size.
 */

import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** Files kept though all that was in them was saved. */
export const KEPT_ASIDE = 2;

const PARTS = ["", "-wal", "-shm", ".json"];

/** What came of reading a file; lies beside it as `<name>.json`. */
export interface Report {
  file: string;
  problem: string;
  readings: number;
  rejects: number;
  /** Readings known to be there that could not be saved. */
  lost: number;
  /** Pages, and frames of its log, that the disk did not give. */
  unreadable: number;
  /** True where nothing was lost. */
  complete: boolean;
  /** ISO 8601. */
  at: string;
  result: string;
}

export interface AsideFile {
  file: string;
  bytes: number;
  /** unread: it is still to be read. incomplete: readings in it could not be saved. complete: nothing in it was lost. */
  state: "unread" | "incomplete" | "complete";
}

/** Name of the file set aside; its log, where there is one, lies beside it as `<name>-wal`. */
export function setAside(path: string, nowMs: number): string {
  const name = freeName(path, nowMs);
  const target = join(dirname(path), name);
  // The file first: without it the log is set aside by the next start, but without its log the file would look whole.
  if (existsSync(path)) renameSync(path, target);
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${target}-wal`);
  rmSync(`${path}-shm`, { force: true });
  return name;
}

/** Deletes the file and its log, in which nothing is that anybody was told of. */
export function removeFile(path: string): void {
  for (const part of ["", "-wal", "-shm"]) rmSync(`${path}${part}`, { force: true });
}

/** Copies the log of a file that stays in use, before SQLite cuts off what it can't read; the copy's name without `-wal`. */
export function copyLogAside(path: string, nowMs: number): string {
  const name = freeName(path, nowMs);
  copyFileSync(`${path}-wal`, join(dirname(path), `${name}-wal`));
  return name;
}

/** Files set aside that have no report yet, oldest first. */
export function unreadFiles(path: string): string[] {
  return asideFiles(path).filter((file) => !existsSync(reportOf(path, file)));
}

/** Marks the file as read to the end, with what came of it. */
export function writeReport(path: string, report: Report): void {
  writeFileSync(reportOf(path, report.file), `${JSON.stringify(report, undefined, 2)}\n`);
  rmSync(join(dirname(path), `${report.file}-shm`), { force: true });
}

/**
 * Deletes what is of no use any more: files from which all was saved, if they were empty, if newer ones are kept, or if all
 * together take more than `maxBytes`. The names of those deleted.
 */
export function prune(path: string, maxBytes: number): string[] {
  const files = lookAside(path);
  const complete = files.filter(({ state }) => state === "complete");
  const worth = complete.filter(({ file }) => !wasEmpty(path, file));
  const newest = worth.slice(-KEPT_ASIDE);
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const deleted: string[] = [];
  for (const each of complete) {
    if (bytes <= maxBytes && newest.includes(each)) continue;
    for (const part of PARTS) rmSync(join(dirname(path), `${each.file}${part}`), { force: true });
    bytes -= each.bytes;
    deleted.push(each.file);
  }
  return deleted;
}

/** All files set aside, oldest first. */
export function lookAside(path: string): AsideFile[] {
  return asideFiles(path).map((file) => ({
    file,
    bytes: PARTS.reduce((sum, part) => sum + sizeOf(join(dirname(path), `${file}${part}`)), 0),
    state: stateOf(path, file),
  }));
}

/** Bytes that the buffer of `maxBytes` may take beside the files set aside: both together twice its size. */
export function quotaBeside(path: string, maxBytes: number): number {
  const taken = lookAside(path).reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.max(0, maxBytes - Math.max(0, taken - maxBytes));
}

/** Names of all files set aside, oldest first. */
export function asideFiles(path: string): string[] {
  const prefix = `${basename(path)}.damaged-`;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix));
  return [...new Set(names.map((name) => name.replace(/(-wal|-shm|\.json)$/, "")))].sort();
}

function stateOf(path: string, file: string): AsideFile["state"] {
  if (!existsSync(reportOf(path, file))) return "unread";
  return readReport(path, file)?.complete === true ? "complete" : "incomplete";
}

function wasEmpty(path: string, file: string): boolean {
  const report = readReport(path, file);
  return report?.readings === 0 && report.rejects === 0;
}

/** Undefined where it can't be read; the file is then kept. */
function readReport(path: string, file: string): Partial<Report> | undefined {
  try {
    return JSON.parse(readFileSync(reportOf(path, file), "utf8"));
  } catch {
    return undefined;
  }
}

function reportOf(path: string, file: string): string {
  return join(dirname(path), `${file}.json`);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
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
