/** One local cloud a folder: a lock the system gives back when its owner ends, however it ends. */

import { join } from "node:path";
import Database from "better-sqlite3";
import { makeFolders } from "../../agent/common/folders.ts";
import { codeOf, Fault } from "../../agent/errors.ts";

export class FolderLock {
  readonly #folder: string;
  #database: Database.Database | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  take(): void {
    try {
      makeFolders(this.#folder);
      // SQLite's own lock on a file: nothing else in Node asks the system for one.
      this.#database = new Database(join(this.#folder, "lock"), { timeout: 0 });
      this.#database.pragma("locking_mode = EXCLUSIVE");
      this.#database.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      this.#database?.close();
      throw codeOf(error) === "SQLITE_BUSY" ? this.#taken() : this.#unusable(error);
    }
  }

  release(): void {
    this.#database?.close();
  }

  #taken(): Fault {
    return new Fault("cloud.folder_taken", `${this.#folder} is in use by another local cloud`, {
      hint: "stop that one, or give this one another folder with --data",
    });
  }

  #unusable(error: unknown): Fault {
    const why = error instanceof Error ? error.message : String(error);
    return new Fault("cloud.folder_unusable", `can't use the folder ${this.#folder}: ${why}`, {
      hint: "give a folder this user may write to with --data",
      cause: error,
    });
  }
}
