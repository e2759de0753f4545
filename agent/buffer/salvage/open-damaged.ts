/**
 * Opens a quarantined file, if need be with a fresh header and a fresh list of tables: without them SQLite reads nothing of
 * it, nor of its log. They are the same in every file of a schema.
 */

import { closeSync, openSync, readSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import type { Database } from "better-sqlite3";
import { openReadOnly, openWritable, PAGE_BYTES } from "../connection.ts";
import { FILE_MODE } from "../rights.ts";
import { createSchema } from "../schema.ts";

/** Where the header tells how many pages the file has. */
const PAGE_COUNT_PLACE = 28;

/** A connection that can only read. Throws if nothing of the file can be read. */
export function openDamaged(path: string): Database {
  const stat = statSync(path, { throwIfNoEntry: false });
  try {
    // Beside an empty file SQLite would delete the log unread.
    if (stat !== undefined && stat.size > 0) return openChecked(path);
  } catch (error) {
    if (stat?.isDirectory() === true) throw error;
  }
  freshenHeader(path);
  return openChecked(path);
}

function openChecked(path: string): Database {
  const db = openReadOnly(path);
  try {
    // Reads the header and the list of tables.
    db.prepare("SELECT key, count, received, body FROM groups");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Writes an empty buffer's pages over the file's own, which are kept beside it as `<file>.header`. */
function freshenHeader(path: string): void {
  const pages = schemaPages(`${path}.fresh`);
  closeSync(openSync(path, "a", FILE_MODE));
  const file = openSync(path, "r+");
  try {
    const old = Buffer.alloc(PAGE_BYTES * pages.size);
    let at = 0;
    const count = Math.max(Math.floor(statSync(path).size / PAGE_BYTES), ...pages.keys());
    pages.get(1)?.writeUInt32BE(count, PAGE_COUNT_PLACE);
    for (const [number, page] of pages) {
      readSync(file, old, at, PAGE_BYTES, (number - 1) * PAGE_BYTES);
      writeSync(file, page, 0, PAGE_BYTES, (number - 1) * PAGE_BYTES);
      at += PAGE_BYTES;
    }
    writeFileSync(`${path}.header`, old, { mode: FILE_MODE });
  } finally {
    closeSync(file);
  }
}

/** By number, the pages of an empty buffer that hold its header and its list of tables. */
function schemaPages(path: string): Map<number, Buffer> {
  const pages = new Map<number, Buffer>();
  try {
    const db = openWritable(path);
    createSchema(db, { now: () => 0, random: () => 0 });
    // The tables' own pages come after the header; what does not fit there of the list, behind them.
    const last = db.prepare<[], number>("SELECT max(rootpage) FROM sqlite_master").pluck().get() ?? 0;
    db.close();
    const file = openSync(path, "r");
    const count = statSync(path).size / PAGE_BYTES;
    for (let number = 1; number <= count; number = number === 1 ? last + 1 : number + 1) {
      const page = Buffer.alloc(PAGE_BYTES);
      readSync(file, page, 0, PAGE_BYTES, (number - 1) * PAGE_BYTES);
      pages.set(number, page);
    }
    closeSync(file);
  } finally {
    for (const part of ["", "-wal", "-shm"]) rmSync(`${path}${part}`, { force: true });
  }
  return pages;
}
