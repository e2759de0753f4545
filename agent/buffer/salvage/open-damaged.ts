/**
 * Opens a quarantined file, if need be with a fresh header and a fresh list of tables: without them SQLite reads nothing of
 * it, nor of its log. They are the same in every file of a schema.
 */

import { closeSync, constants, fstatSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import Database from "better-sqlite3";
import { openReadOnly, PAGE_BYTES } from "../connection.ts";
import { isUnusableFile } from "../failure.ts";
import { FILE_MODE, sizeOf } from "../files.ts";
import { createSchema } from "../schema.ts";

/** Places in the header: two bytes that tell a file with a log (2) from one without (1), and the number of pages. */
const LOGGED = 18;
const PAGE_COUNT = 28;

/** A connection that can only read. Throws if nothing of the file can be read. */
export function openDamaged(path: string): Database.Database {
  try {
    // Beside an empty file SQLite would delete the log unread.
    if (sizeOf(path) > 0) return openChecked(path);
  } catch (error) {
    // What may pass by itself must not cost the file its own header. Otherwise with what is the same in every file.
    if (!isUnusableFile(error)) throw error;
  }
  freshenHeader(path);
  return openChecked(path);
}

function openChecked(path: string): Database.Database {
  const db = openReadOnly(path);
  try {
    // Reads the header and the list of tables.
    for (const table of ["groups", "rejects"]) db.prepare(`SELECT received, count FROM ${table}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Writes an empty buffer's header and list of tables over the file's own; what stood there is kept as `<file>.header`. */
function freshenHeader(path: string): void {
  const { bytes, pages } = emptyBuffer();
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, FILE_MODE);
  try {
    const old = Buffer.alloc(bytes.length);
    readSync(file, old, 0, old.length, 0);
    writeFileSync(`${path}.header`, old, { mode: FILE_MODE });
    const size = Math.max(fstatSync(file).size, bytes.length);
    bytes.writeUInt32BE(Math.floor(size / PAGE_BYTES), PAGE_COUNT);
    for (const at of pages.map((page) => (page - 1) * PAGE_BYTES)) writeSync(file, bytes, at, PAGE_BYTES, at);
  } finally {
    closeSync(file);
  }
}

/** The bytes of an empty buffer, and the numbers of the pages with its header and the list of its tables. */
function emptyBuffer(): { bytes: Buffer; pages: number[] } {
  const db = new Database(":memory:");
  db.pragma(`page_size = ${PAGE_BYTES}`);
  createSchema(db, { now: () => 0, random: () => 0 });
  const pages = db
    .prepare<[], number>("SELECT pageno FROM dbstat WHERE name = 'sqlite_schema'")
    .pluck()
    .all();
  const bytes = db.serialize();
  db.close();
  bytes.fill(2, LOGGED, LOGGED + 2);
  return { bytes, pages };
}
