/**
 * Quarantined files: damaged or of an earlier schema, named with their date, read to the end, reported on, and kept.
 *
 * Deleted by themselves are only those that were read to the end with nothing lost. All others are kept until somebody
 * moves them away; so that they don't fill the disk, the buffer is limited to what they leave it of twice its size.
 */

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { FILE_MODE, sizeOf } from "../files.ts";
import type { QuarantinedFile } from "../types.ts";
import type { Report } from "./progress.ts";

const PARTS = ["", "-wal", "-shm", ".header", ".json"];

/** Moves the file away under a name of its own, which is returned; its log, if there is one, becomes `<name>-wal`. */
export function quarantine(path: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const name = `${basename(path)}.damaged-${stamp}`;
  const taken = quarantinedFiles(path);
  let file = name;
  for (let copy = 2; taken.includes(file); copy++) file = `${name}-${copy}`;
  // The file first: a log without it is quarantined by the next start, but a file without its log would look whole.
  for (const part of ["", "-wal"])
    if (existsSync(`${path}${part}`)) renameSync(`${path}${part}`, join(dirname(path), `${file}${part}`));
  rmSync(`${path}-shm`, { force: true });
  return file;
}

/** Deletes the file with its log and index. */
export function removeFile(path: string, parts = ["", "-wal", "-shm"]): void {
  for (const part of parts) rmSync(`${path}${part}`, { force: true });
}

/** Names of all quarantined files, oldest first. */
export function quarantinedFiles(path: string): string[] {
  const prefix = `${basename(path)}.damaged-`;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix));
  return [...new Set(names.map((name) => name.replace(/(-wal|-shm|\.header|\.json)$/, "")))].sort();
}

/** All quarantined files, oldest first. */
export function listQuarantined(path: string): QuarantinedFile[] {
  return quarantinedFiles(path).map((file) => {
    const report = reportOf(path, file);
    const read = report?.complete === true ? "complete" : "incomplete";
    const sizes = PARTS.map((part) => join(dirname(path), `${file}${part}`)).map(sizeOf);
    return {
      file,
      bytes: sizes.reduce((sum, size) => sum + size),
      state: report === undefined ? "unread" : read,
    };
  });
}

/** Marks the file as read to the end, with what came of it. */
export function writeReport(path: string, report: Report): void {
  const file = join(dirname(path), report.file);
  writeFileSync(`${file}.json`, `${JSON.stringify(report, undefined, 2)}\n`, { mode: FILE_MODE });
  rmSync(`${file}-shm`, { force: true });
}

/** Of a file that was read to the end; says nothing if it can't be read itself, and the file is then kept. */
function reportOf(path: string, file: string): Partial<Report> | undefined {
  const report = join(dirname(path), `${file}.json`);
  if (!existsSync(report)) return undefined;
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return {};
  }
}

/** Deletes files from which all was saved, oldest first, as far as all together take more than `maxBytes`; their names. */
export function prune(path: string, maxBytes: number): string[] {
  const files = listQuarantined(path);
  let bytes = bytesOf(files);
  const deleted = files.filter((file) => {
    if (bytes <= maxBytes || file.state !== "complete") return false;
    bytes -= file.bytes;
    return true;
  });
  for (const { file } of deleted) removeFile(join(dirname(path), file), PARTS);
  return deleted.map(({ file }) => file);
}

/** Bytes that the buffer of `maxBytes` may take beside the quarantined files: both together twice its size. */
export function quotaBeside(path: string, maxBytes: number): number {
  return Math.max(0, maxBytes - Math.max(0, bytesOf(listQuarantined(path)) - maxBytes));
}

export function bytesOf(files: readonly QuarantinedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
