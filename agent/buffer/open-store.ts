/** Opens the buffer's file whatever has become of it, in a time that does not depend on the backlog. */

import { accessSync, constants, mkdirSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Database } from "better-sqlite3";
import { Fault, messageOf } from "../errors.ts";
import { copyLogAside, quotaBeside } from "./aside.ts";
import { decodeBody } from "./codec.ts";
import { assertDurable, openWritable } from "./connection.ts";
import { newEpoch } from "./epoch.ts";
import { writeProgress } from "./salvage-rows.ts";
import { progressOf, type Ruin } from "./salvage-source.ts";
import { type Birth, createSchema, migrate } from "./schema.ts";
import type { ReadSectors } from "./sectors.ts";
import { inBalance, type State } from "./state.ts";
import { Store } from "./store.ts";
import { inspectLog } from "./wal.ts";

export interface Opened {
  store: Store;
  state: State;
  /** Transactions the file had seen before this opening. */
  foundCommits: number;
  /** What was set aside; undefined where the buffer was fine. */
  ruin?: Ruin;
}

/** How a file is born, and how it is read where SQLite can't be trusted to say that it could not. */
export interface Means extends Birth {
  readSectors?: ReadSectors;
}

/** Makes the buffer's folder and proves that we may write there. Throws `buffer.unwritable`. */
export function prepareFolder(path: string): void {
  const folder = dirname(path);
  guardWritable(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  });
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}.lock`]) {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) continue;
    guardWritable(file, () => accessSync(file, constants.R_OK | constants.W_OK));
  }
}

/** The name of the copy of a log that ends inside a transaction, undefined for a whole one. Throws `buffer.damaged`. */
export function keepTornLog(path: string, { now, readSectors }: Means): string | undefined {
  const log = inspectLog(path, readSectors);
  if (log === "damaged") throw new Fault("buffer.damaged", "its log can't be read");
  // SQLite cuts the log off where it can't read on, so what stands behind that is copied first.
  return log === "torn" ? copyLogAside(path, now()) : undefined;
}

/**
 * Opens the file at `path`, and makes it where there is none. Throws `buffer.unwritable`, `buffer.foreign`, `buffer.newer`,
 * `buffer.not_durable`, `buffer.damaged`, or SQLite's error where the file is damaged or the disk refuses.
 */
export function openFile(
  path: string,
  maxBytes: number,
  birth: Means,
  torn = keepTornLog(path, birth),
): Opened {
  const db = guardWritable(path, () => openWritable(path));
  try {
    if (isEmpty(db)) createSchema(db, birth);
    else migrate(db, birth);
    const store = new Store(db, quotaBeside(path, maxBytes));
    // An opening is not counted: what a failed commit left must stay told from what an opening after it wrote.
    const found = checkedState(store);
    const state = { ...found };
    // Should a damaged transaction be lost, its seqs must not be given to other readings.
    if (torn !== undefined) Object.assign(state, { epoch: newEpoch(birth.random), epochBase: state.lastKey });
    // The first write of this connection, for only after it can be told whether commits will really be synced.
    const ruin = torn === undefined ? undefined : tornLog(torn, store, state);
    store.begin();
    store.writeState(state);
    if (ruin !== undefined) writeProgress(db, progressOf(ruin));
    store.commit();
    assertDurable(db);
    return { store, state, foundCommits: found.commits, ...(ruin === undefined ? {} : { ruin }) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The log as it was, to look for readings newer than those the file holds. */
function tornLog(file: string, store: Store, state: State): Ruin {
  const problem = "its log ends inside a transaction, as after a power cut";
  return { file, problem, stage: "pages", partial: 1, low: state.lastKey, lowReject: store.lastReject() };
}

function isEmpty(db: Database): boolean {
  const tables = db.prepare<[], string>("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all();
  if (tables.length === 0) return true;
  if (tables.includes("groups")) return false;
  throw new Fault(
    "buffer.foreign",
    `${db.name} is a database of another program (its tables: ${tables.join(", ")})`,
    {
      hint: "Give buffer.path a file of its own.",
    },
  );
}

/** The state row, held against the two ends of the queue; the whole queue is for `windfarm buffer verify`. */
function checkedState(store: Store): State {
  const state = store.readState();
  if (state === undefined || !inBalance(state))
    throw new Fault("buffer.damaged", "its accounts are missing or out of balance");
  const first = store.next(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (first !== undefined) decodeBody(first);
  return state;
}

/** Runs `work`; where the system forbids it, says who owns the file and who we are. */
export function guardWritable<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const forbidden = ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EEXIST", "SQLITE_CANTOPEN"];
    if (typeof code !== "string" || !forbidden.includes(code)) throw error;
    throw new Fault("buffer.unwritable", `can't write ${path}: ${messageOf(error)}${ownership(path)}`, {
      hint: "Let the agent's user own the buffer's folder (chown -R windfarm: …), or set buffer.path to a folder it owns.",
      cause: error,
    });
  }
}

function ownership(path: string): string {
  const stat = statOf(path);
  if (stat === undefined || process.getuid === undefined) return "";
  const mode = (stat.mode & 0o777).toString(8);
  return `; it belongs to user ${stat.uid} with mode ${mode}, this process is user ${process.getuid()}`;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
