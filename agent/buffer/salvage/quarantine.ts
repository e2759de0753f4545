/**
 * Quarantined files: damaged or of an earlier schema, named with their date, read to the end, reported on, and kept.
 *
 * Deleted by themselves are only those that were read to the end with nothing lost. All others are kept until somebody
 * moves them away; so that they don't fill the disk, the buffer is limited to what they leave it of twice its size.
 */

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { FILE_MODE } from "../rights.ts";
import type { QuarantinedFile } from "../types.ts";

/** Files kept though all that was in them was saved. */
export const KEPT_COMPLETE = 2;

const PARTS = ["", "-wal", "-shm", ".header", ".json"];

/** What came of reading a file; lies beside it as `<name>.json`. */
export interface Report {
  file: string;
  problem: string;
  readings: number;
  rejects: number;
  /** Readings that its accounts tell of and that could not be saved; those in damaged groups, if nobody knows. */
  lost: number;
  /** Seqs between the first and the last that are not in it: delivered before, or lost. */
  missing: number;
  /** Stretches of the file that could not be read. */
  unreadable: number;
  /** True if nothing was lost: it was closed in order, and every seq from its first to its last is there. */
  complete: boolean;
  /** ISO 8601. */
  at: string;
  result: string;
}

/** Moves the file away under a name of its own, which is returned; its log, if there is one, becomes `<name>-wal`. */
export function quarantine(path: string, nowMs: number): string {
  const name = freeName(path, nowMs);
  const target = join(dirname(path), name);
  // The file first: a log without it is quarantined by the next start, but a file without its log would look whole.
  if (existsSync(path)) renameSync(path, target);
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${target}-wal`);
  rmSync(`${path}-shm`, { force: true });
  return name;
}

/** Deletes the file and its log, in which nothing is that anybody was told of. */
export function removeFile(path: string): void {
  for (const part of ["", "-wal", "-shm"]) rmSync(`${path}${part}`, { force: true });
}

/** Quarantined files that have no report yet, oldest first. */
export function unreadFiles(path: string): string[] {
  return quarantinedFiles(path).filter((file) => !existsSync(reportOf(path, file)));
}

/** Marks the file as read to the end, with what came of it. */
export function writeReport(path: string, report: Report): void {
  writeFileSync(reportOf(path, report.file), `${JSON.stringify(report, undefined, 2)}\n`, {
    mode: FILE_MODE,
  });
  rmSync(join(dirname(path), `${report.file}-shm`), { force: true });
}

/**
 * Deletes what is of no use any more: files from which all was saved, if they were empty, if newer ones are kept, or if all
 * together take more than `maxBytes`. The names of those deleted.
 */
export function prune(path: string, maxBytes: number): string[] {
  const files = listQuarantined(path);
  const complete = files.filter(({ state }) => state === "complete");
  const worth = complete.filter(({ file }) => !wasEmpty(path, file));
  const newest = worth.slice(-KEPT_COMPLETE);
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

/** All quarantined files, oldest first. */
export function listQuarantined(path: string): QuarantinedFile[] {
  return quarantinedFiles(path).map((file) => ({
    file,
    bytes: PARTS.reduce((sum, part) => sum + sizeOf(join(dirname(path), `${file}${part}`)), 0),
    state: stateOf(path, file),
  }));
}

/** Bytes that the buffer of `maxBytes` may take beside the quarantined files: both together twice its size. */
export function quotaBeside(path: string, maxBytes: number): number {
  const taken = listQuarantined(path).reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.max(0, maxBytes - Math.max(0, taken - maxBytes));
}

/** Names of all quarantined files, oldest first. */
export function quarantinedFiles(path: string): string[] {
  const prefix = `${basename(path)}.damaged-`;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix));
  return [...new Set(names.map((name) => name.replace(/(-wal|-shm|\.header|\.json)$/, "")))].sort();
}

function stateOf(path: string, file: string): QuarantinedFile["state"] {
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
  const taken = new Set(quarantinedFiles(path));
  for (let copy = 1; ; copy++) {
    const candidate = copy === 1 ? name : `${name}-${copy}`;
    if (!taken.has(candidate)) return candidate;
  }
}
