/** Opens the SQLite file the only way it may be written: WAL, and no sync of SQLite's own at COMMIT. */

import Database from "better-sqlite3";
import { Fault } from "../errors.ts";

/**
 * A commit of one to sixty readings dirties one or two pages. Measured at the device (loop, journalled ext4), body of 120 B,
 * a delete every third commit: 9.4 KB a commit with pages of 4096 B, 7.3 with 2048, 6.3 with 1024, 7.2 with 512.
 */
export const PAGE_BYTES = 1024;
/** A page in the log, with its header. */
export const FRAME_BYTES = PAGE_BYTES + 24;
/** Pages in the log from which it is moved into the file. */
export const CHECKPOINT_PAGES = 3200;
/** The log's full size: it is made so long at the start, and cut back to this if it grew larger. Bytes. */
export const LOG_BYTES = 4 * 1024 * 1024;
/** How long a commit waits for a foreign writer (a person with the sqlite3 shell), ms. */
const BUSY_MS = 200;

/** A connection that may write. Throws SQLite's error, or `buffer.not_durable`. */
export function openWritable(path: string): Database.Database {
  const db = new Database(path, { timeout: BUSY_MS });
  try {
    // Before the first table. No auto_vacuum: its map of the pages would be written with most new pages of rows.
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = NORMAL");
    db.pragma("wal_autocheckpoint = 0");
    db.pragma(`journal_size_limit = ${LOG_BYTES}`);
    db.pragma("temp_store = MEMORY");
    db.pragma("cache_size = -4000");
    assertLogged(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A connection that can only look, beside a running agent or without one. */
export function openReadOnly(path: string): Database.Database {
  return new Database(path, { readonly: true, fileMustExist: true, timeout: 5000 });
}

/**
 * The log is what we sync, so there must be one; and SQLite must sync log and file in a checkpoint (`synchronous` 1 at least),
 * or a power cut during one would destroy the file.
 */
export function assertLogged(db: Database.Database): void {
  const mode = db.pragma("journal_mode", { simple: true });
  const synchronous = Number(db.pragma("synchronous", { simple: true }));
  if (mode === "wal" && synchronous >= 1) return;
  throw new Fault(
    "buffer.not_durable",
    `SQLite keeps no write-ahead log here (journal_mode ${String(mode)}, synchronous ${synchronous})`,
    { hint: "Put the buffer on a local disk: network file systems can't hold a write-ahead log." },
  );
}
