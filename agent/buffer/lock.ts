/**
 * One owner. The lock is the kernel's own lock on a side file, so it ends with its process however that ends: a file left
 * behind by `kill -9` locks nobody out. The side file is apart from the buffer because readers are welcome there.
 */

import { readFileSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { codeOf, Fault } from "../errors.ts";

export class OwnerLock {
  readonly #db: Database.Database;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /** Throws `buffer.locked` where another process owns the buffer at `path`. */
  static take(path: string): OwnerLock {
    const file = `${path}.lock`;
    const db = new Database(file, { timeout: 0 });
    try {
      // Nothing is ever written, so that a full disk is no obstacle: an exclusive transaction that stays open is a lock.
      db.pragma("journal_mode = MEMORY");
      db.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      db.close();
      if (codeOf(error) !== "SQLITE_BUSY") throw error;
      const owner = ownerOf(file);
      throw new Fault("buffer.locked", `the buffer ${path} belongs to a running agent${owner}`, {
        hint: "Stop that agent first (systemctl stop windfarm), or give this one a buffer.path of its own.",
        cause: error,
      });
    }
    return new OwnerLock(db);
  }

  /** Whether a process owns the buffer at `path`; false too where the lock can't be looked at. */
  static isHeld(path: string): boolean {
    const file = `${path}.lock`;
    let db: Database.Database | undefined;
    try {
      db = new Database(file, { readonly: true, fileMustExist: true, timeout: 0 });
      db.prepare("SELECT count(*) FROM sqlite_master").get();
      return false;
    } catch (error) {
      return codeOf(error) === "SQLITE_BUSY";
    } finally {
      db?.close();
    }
  }

  release(): void {
    this.#db.close();
  }
}

/** ` (process 4711)` where the kernel tells, otherwise nothing. */
function ownerOf(file: string): string {
  try {
    const inode = String(statSync(file).ino);
    for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
      const words = line.trim().split(/\s+/);
      if (words[5]?.endsWith(`:${inode}`) && words[3] === "WRITE") return ` (process ${words[4]})`;
    }
  } catch {
    // Not Linux, or no right to look: the message is complete without.
  }
  return "";
}
