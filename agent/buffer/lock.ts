/**
 * One owner. The lock is the kernel's own lock on a side file, so it ends with its process however that ends: a file left
 * behind by `kill -9` locks nobody out. The side file is apart from the buffer because readers are welcome there.
 *
 * Somebody may delete the side file. Its owner looks for it before each transaction and makes it again; a newcomer that
 * finds none asks the kernel first whether a process has the buffer's own file open.
 */

import { existsSync, readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { codeOf, Fault } from "../errors.ts";
import { inodeOf, restrict } from "./files.ts";

export class OwnerLock {
  readonly #path: string;
  #db: Database.Database;
  #inode: number;

  private constructor(path: string) {
    this.#path = path;
    this.#db = lock(path);
    this.#inode = inodeOf(fileOf(path));
  }

  /** Throws `buffer.locked` where another process owns the buffer at `path`. */
  static take(path: string): OwnerLock {
    const holder = existsSync(fileOf(path)) ? undefined : holderOf(path);
    if (holder !== undefined) throw locked(path, holder);
    return new OwnerLock(path);
  }

  /** Whether a process owns the buffer at `path`; false too where the lock can't be looked at. */
  static isHeld(path: string): boolean {
    let db: Database.Database | undefined;
    try {
      db = new Database(fileOf(path), { readonly: true, fileMustExist: true, timeout: 0 });
      db.prepare("SELECT count(*) FROM sqlite_master").get();
      return false;
    } catch (error) {
      return codeOf(error) === "SQLITE_BUSY";
    } finally {
      db?.close();
    }
  }

  /** Takes the lock again where somebody deleted its file. Throws `buffer.locked` where another process was quicker. */
  retake(): void {
    if (inodeOf(fileOf(this.#path)) === this.#inode) return;
    // With the buffer itself gone, nobody can take it.
    if (!existsSync(this.#path)) return;
    const again = lock(this.#path);
    this.#db.close();
    this.#db = again;
    this.#inode = inodeOf(fileOf(this.#path));
  }

  release(): void {
    this.#db.close();
  }
}

function fileOf(path: string): string {
  return `${path}.lock`;
}

function lock(path: string): Database.Database {
  restrict(fileOf(path));
  const db = new Database(fileOf(path), { timeout: 0 });
  try {
    // Nothing is ever written, so that a full disk is no obstacle: an exclusive transaction that stays open is a lock.
    db.pragma("journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db.close();
    throw codeOf(error) === "SQLITE_BUSY" ? locked(path, holderOf(fileOf(path), "WRITE"), error) : error;
  }
}

function locked(path: string, holder: string | undefined, cause?: unknown): Fault {
  const owner = holder === undefined ? "" : ` (process ${holder})`;
  return new Fault("buffer.locked", `the buffer ${path} belongs to a running agent${owner}`, {
    hint: "Stop that agent first (systemctl stop windfarm), or give this one a buffer.path of its own.",
    retry: true,
    cause,
  });
}

/** The process that holds a lock on `file`, as SQLite does while it has it open; undefined where the kernel tells of none. */
function holderOf(file: string, kind?: "WRITE"): string | undefined {
  try {
    const inode = String(inodeOf(file));
    for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
      const words = line.trim().split(/\s+/);
      if (words[5]?.endsWith(`:${inode}`) && (kind === undefined || words[3] === kind)) return words[4];
    }
  } catch {
    // Not Linux, no such file, or no right to look.
  }
  return undefined;
}
