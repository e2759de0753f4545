/** Opens the SQLite file the only way it may be written: WAL, and an fsync before each commit returns. */

import Database from "better-sqlite3";
import { Fault } from "../errors.ts";

export const PAGE_BYTES = 4096;
/**
 * Pages in the log from which it is moved into the file. Between 200 and 4000 the bytes written differ by 5 %, the longest
 * commit grows with it, and so does the ballast.
 */
export const CHECKPOINT_PAGES = 800;
/** The log is cut back to this where it grew larger, behind a long reader for example. Bytes. */
export const LARGEST_WAL_BYTES = 1000 * PAGE_BYTES;
/** SQLite's number for `synchronous=FULL`. */
const FULL = 2;
/** How long a commit waits for a foreign writer (a person with the sqlite3 shell), ms. */
const BUSY_MS = 200;

/** A connection that may write. Throws SQLite's error, or `buffer.not_durable`. */
export function openWritable(path: string): Database.Database {
  const db = new Database(path, { timeout: BUSY_MS });
  try {
    // All before the first table: the page size and auto_vacuum of a new file can't be changed later.
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma("auto_vacuum = INCREMENTAL");
    db.pragma("synchronous = FULL");
    db.pragma("journal_mode = WAL");
    db.pragma("wal_autocheckpoint = 0");
    db.pragma(`journal_size_limit = ${LARGEST_WAL_BYTES}`);
    db.pragma("temp_store = MEMORY");
    db.pragma("cache_size = -4000");
    assertDurable(db);
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
 * Must hold before the first write and again after it: this build of SQLite turns FULL silently into NORMAL at the first
 * write in WAL mode unless it was set explicitly, and NORMAL loses acknowledged readings in a power cut.
 */
export function assertDurable(db: Database.Database): void {
  const mode = db.pragma("journal_mode", { simple: true });
  const synchronous = db.pragma("synchronous", { simple: true });
  if (mode === "wal" && synchronous === FULL) return;
  throw new Fault(
    "buffer.not_durable",
    `SQLite refuses to sync every commit (journal_mode ${String(mode)}, synchronous ${String(synchronous)})`,
    { hint: "Put the buffer on a local disk: network file systems can't hold a write-ahead log." },
  );
}
