/** Opens the buffer's file, in a time that does not depend on the backlog, and quarantines it if it can't be used. */

import { accessSync, closeSync, constants, existsSync, fsyncSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "../common/folders.ts";
import { codeOf, Fault, messageOf } from "../errors.ts";
import { assertLogged, LOG_BYTES, openWritable } from "./connection.ts";
import { fullDiskProblem, hasNoInodes, isReadOnly, isUnusableFile } from "./failure.ts";
import { restrict, sizeOf } from "./files.ts";
import { isCutShort } from "./log-end.ts";
import { extendLog } from "./log-sync.ts";
import { newProgress, writeProgress } from "./salvage/progress.ts";
import { quarantine, quotaBeside, removeFile } from "./salvage/quarantine.ts";
import { type Birth, checkSchema, createSchema, isEmpty, newEpoch } from "./schema.ts";
import { inBalance, type State } from "./state.ts";
import { Store } from "./store.ts";

const TOO_MANY_FILES = "Delete files there (df -i shows how many it may hold), then start again.";

export interface Opened {
  store: Store;
  state: State;
  /** Transactions the file had seen before this opening. */
  foundCommits: number;
  /** What is to be told of it; undefined for a file that was closed in order. */
  note?: { sentence: string; level: "info" | "warn" | "error" };
}

/** How a file is opened. */
export interface Means extends Birth {
  freeBytes(path: string): number;
  /** What this process knows to be synced of the file, when it is opened again. */
  known?: Readonly<State>;
}

/** Makes the buffer's folder and proves that we may write there. Throws `buffer.unwritable`. */
export function prepareFolder(path: string): void {
  const folder = dirname(path);
  guardWritable(folder, () => {
    makeFolders(folder, 0o750);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  });
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}.lock`].filter((each) => existsSync(each)))
    guardWritable(file, () => accessSync(file, constants.R_OK | constants.W_OK));
}

/**
 * Opens the file at `path`, and makes it if there is none. Throws `buffer.unwritable`, `buffer.foreign`, `buffer.newer`,
 * `buffer.older`, `buffer.not_durable`, `buffer.damaged`, or SQLite's error if the file is damaged or the disk refuses.
 */
export function openFile(path: string, maxBytes: number, means: Means): Opened {
  const logBytes = sizeOf(`${path}-wal`);
  // Beside an empty file SQLite would delete the log unread.
  if (sizeOf(path) === 0 && logBytes > 0) throw new Fault("buffer.damaged", "its log lies beside no file");
  const db = guardWritable(path, () => {
    restrict(path);
    return openWritable(path);
  });
  try {
    // A power cut at its birth leaves a file without tables; with them in it, it is moved out of the log before it takes readings.
    const isNew = isEmpty(db);
    if (isNew) createSchema(db, means);
    else checkSchema(db);
    const store = new Store(db, quotaBeside(path, maxBytes));
    if (isNew) settle(store, path);
    const found = checkedState(store);
    const note = isNew ? undefined : judgeEnd(store, found, logBytes, means.known);
    const state = { ...found, closed: 0 };
    if (means.known !== undefined) state.salvagedKey = Math.max(found.salvagedKey, means.known.salvagedKey);
    // Readings that are lost may have left: their seqs must not be given to others, nor their keys, under which groups may be
    // on their way.
    if (note?.level === "warn") {
      const base = Math.max(found.lastKey, means.known?.lastKey ?? found.lastKey);
      Object.assign(state, { epoch: newEpoch(means.random), epochBase: base, lastKey: base });
    }
    // The first write of this connection: a file system that takes none shows it now. It is not counted as a commit, so that
    // what a failed one left stays told from what an opening after it wrote.
    store.begin();
    store.writeState(state);
    if (means.freeBytes(path) > 2 * LOG_BYTES) extendLog(`${path}-wal`);
    store.commit();
    assertLogged(db);
    return { store, state, foundCommits: found.commits, ...(note === undefined ? {} : { note }) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Makes a new file outlast a power cut, and its tables what may become of the log. */
function settle(store: Store, path: string): void {
  try {
    store.checkpoint("PASSIVE");
  } catch {
    // A disk under strain: then the tables stay in the log until it is moved.
  }
  // Its name too.
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** What can be known of the file's end. A log that is only shorter can't be told from a power cut. */
function judgeEnd(
  store: Store,
  found: State,
  logBytes: number,
  known: Readonly<State> | undefined,
): Opened["note"] {
  const there = `It holds the readings up to seq ${found.lastKey - found.epochBase} of epoch ${found.epoch}`;
  if (known !== undefined && found.epoch === known.epoch) {
    if (found.lastKey >= known.lastKey && found.commits >= known.commits) return undefined;
    return { level: "warn", sentence: `The buffer has lost readings that were on the disk. ${there}.` };
  }
  const { busy, logPages } = store.checkpoint("PASSIVE");
  // Without a log SQLite has moved it into the file, which it does when the last connection is closed. While another program
  // moves the log, nobody tells how much of it is accepted.
  const cutShort = logBytes > 0 && (busy || isCutShort(`${store.db.name}-wal`, logPages));
  // That it is in use again may stand in the very part of the log that can't be read.
  if (found.closed === 1 && !cutShort) return undefined;
  if (!cutShort) {
    const sentence = `The buffer was not closed in order. ${there}; whether its log was longer can't be told.`;
    return { level: "info", sentence };
  }
  const sentence = `The buffer's log ends in writes that can't be read. ${there}. A power cut loses only what was never acknowledged; if the log was damaged, newer readings are lost.`;
  return { level: "warn", sentence };
}

/** The state row, in balance; the whole queue is for `windfarm buffer verify`. */
function checkedState(store: Store): State {
  const state = Store.readStateOf(store.db);
  if (state === undefined || !inBalance(state))
    throw new Fault("buffer.damaged", "its accounts are missing or out of balance");
  store.front(Number.MIN_SAFE_INTEGER);
  return state;
}

/** Runs `work`; if the system forbids it, tells who owns the file and who we are. */
export function guardWritable<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = codeOf(error) ?? "";
    const forbidden = [
      "EACCES",
      "EPERM",
      "EROFS",
      "ENOENT",
      "ENOTDIR",
      "EISDIR",
      "EEXIST",
      "SQLITE_CANTOPEN",
    ];
    if (!forbidden.includes(code) && !code.startsWith("SQLITE_READONLY")) throw error;
    if (hasNoInodes(path))
      throw new Fault("buffer.unwritable", fullDiskProblem(path), { hint: TOO_MANY_FILES, cause: error });
    const readOnly = code === "EROFS" || isReadOnly(path);
    const why = readOnly ? "the disk is mounted read-only" : `${messageOf(error)}${ownership(path)}`;
    throw new Fault("buffer.unwritable", `can't write ${path}: ${why}`, {
      hint: readOnly
        ? "Look for the disk's errors (dmesg) and mount it again with rw, or set buffer.path to another disk."
        : "Let the agent's user own the buffer's folder (chown -R windfarm: …), or set buffer.path to a folder it owns.",
      cause: error,
    });
  }
}

function ownership(path: string): string {
  try {
    const { mode, uid } = statSync(path);
    const rights = (mode & 0o777).toString(8);
    return `; it belongs to user ${uid} with mode ${rights}, this process is user ${process.getuid?.()}`;
  } catch {
    return "";
  }
}

/** How often a file is opened in one opening: the one that is there twice, then new ones. */
const TRIES = 7;

/** A file that was quarantined, and why. */
export interface Quarantined {
  file: string;
  problem: string;
}

export interface Reopened extends Opened {
  quarantined?: Quarantined;
  /** The file is in use: what was quarantined for it is known to it. Until then a further opening tells it again. */
  taken?(): void;
}

export class Opener {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #means: Means;
  /** Quarantined by an opening that then failed: the new file does not know of it yet, and has held no reading. */
  #quarantined: Quarantined | undefined;

  constructor(path: string, maxBytes: number, means: Means) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#means = means;
  }

  /**
   * Opens the file, makes it if there is none, quarantines it and makes a new one if it is damaged (or if `problem` tells
   * that it is). `known`: what this process knows of it. Throws `buffer.unwritable`, `buffer.foreign`, `buffer.newer`,
   * `buffer.not_durable`, or SQLite's error if the disk refuses; what was quarantined by then is not quarantined again.
   */
  open(known?: Readonly<State>, problem?: string): Reopened {
    const means = known === undefined ? this.#means : { ...this.#means, known };
    if (problem !== undefined) this.#quarantine(problem);
    for (let tries = 1; ; tries++) {
      try {
        return this.#announced(openFile(this.#path, this.#maxBytes, means));
      } catch (error) {
        if (!isUnusableFile(error) || tries === TRIES) throw error;
        // A read that failed may pass the second time, and quarantining a whole buffer for it would be a waste. What is wrong
        // with a new file is the disk's doing, and may be over the next time.
        if (tries > 1) this.#quarantine(messageOf(error));
      }
    }
  }

  #quarantine(problem: string): void {
    guardWritable(this.#path, () => {
      // What has come since in its place is empty: kept, such files would multiply with every try.
      if (this.#quarantined !== undefined) removeFile(this.#path);
      else this.#quarantined = { file: quarantine(this.#path, this.#means.now()), problem };
    });
  }

  /** The new file remembers what was quarantined for it. */
  #announced(opened: Opened): Reopened {
    const quarantined = this.#quarantined;
    if (quarantined === undefined) return opened;
    try {
      writeProgress(opened.store.db, newProgress(quarantined.file, quarantined.problem));
    } catch (error) {
      opened.store.close();
      throw error;
    }
    const taken = () => {
      this.#quarantined = undefined;
    };
    return { ...opened, quarantined, taken };
  }
}
