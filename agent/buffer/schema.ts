/** The tables of a buffer file and their version. */

import type { Database } from "better-sqlite3";
import { Fault } from "../errors.ts";

/** Stands in SQLite's `user_version`. */
export const SCHEMA_VERSION = 2;
/**
 * Stands in SQLite's `application_id`: "WFB" and the schema's version once more, so that a flipped bit in one of the two
 * numbers is told from a file that a newer program wrote.
 */
export const APPLICATION_ID = 0x57464200;

/**
 * groups: one row a commit group. `key` is its place in the queue: `epoch_base + seq` of its first reading, below zero
 * for what was salvaged. `body` is one gzip member of `count` lines.
 * state: the one row that makes a start independent of the backlog.
 * rejects: the reject lane; `count` readings a row, `bytes` what the row is charged.
 * salvage: quarantined files that are still being read, and how far.
 */
const TABLES = `
  CREATE TABLE groups (
    key INTEGER PRIMARY KEY, count INTEGER NOT NULL, received INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE rejects (
    number INTEGER PRIMARY KEY, received INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
    reason TEXT NOT NULL, detail TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, dup INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE salvage (file TEXT PRIMARY KEY, progress TEXT NOT NULL) STRICT;
  CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL, born INTEGER NOT NULL, epoch_base INTEGER NOT NULL, last_key INTEGER NOT NULL,
    salvaged_key INTEGER NOT NULL, commits INTEGER NOT NULL, closed INTEGER NOT NULL,
    received INTEGER NOT NULL, buffered INTEGER NOT NULL, shipped INTEGER NOT NULL, rejected INTEGER NOT NULL,
    dropped INTEGER NOT NULL, rejects_kept INTEGER NOT NULL, rejects_bytes INTEGER NOT NULL,
    CHECK (received = buffered + shipped + rejected + dropped),
    CHECK (min(received, buffered, shipped, rejected, dropped) >= 0)
  ) STRICT;
`;

/** Where the keys of salvaged groups begin; they count up towards zero, so they leave before everything newer. */
export const FIRST_SALVAGED_KEY = -(2 ** 52);

export interface Birth {
  now(): number;
  /** From 0 up to but not including 1. */
  random(): number;
  /**
   * Keys already used in this process, for a file that takes another's place while the agent runs: a late settlement of
   * the old file's group must never meet a group of the new one.
   */
  known?: { lastKey: number; salvagedKey: number };
}

/** Makes the tables of a new file, in one transaction. */
export function createSchema(db: Database, birth: Birth): void {
  const create = db.transaction(() => {
    db.exec(TABLES);
    const { lastKey, salvagedKey } = birth.known ?? { lastKey: 0, salvagedKey: FIRST_SALVAGED_KEY };
    db.prepare("INSERT INTO state VALUES (1, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0)").run(
      newEpoch(birth.random),
      birth.now(),
      lastKey,
      lastKey,
      salvagedKey,
    );
    db.pragma(`application_id = ${APPLICATION_ID + SCHEMA_VERSION}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  });
  create.immediate();
}

function tablesIn(db: Database): string[] {
  return db.prepare<[], string>("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all();
}

export function isEmpty(db: Database): boolean {
  return tablesIn(db).length === 0;
}

/**
 * Throws `buffer.foreign` for another program's file, `buffer.newer` for a schema this program doesn't know, and
 * `buffer.older` for an earlier one, which is quarantined and salvaged into a new file.
 */
export function checkSchema(db: Database): void {
  const tables = tablesIn(db);
  if (!tables.includes("groups")) {
    throw new Fault(
      "buffer.foreign",
      `${db.name} is a database of another program (its tables: ${tables.join(", ")})`,
      { hint: "Give buffer.path a file of its own." },
    );
  }
  const version = Number(db.pragma("user_version", { simple: true }));
  const id = Number(db.pragma("application_id", { simple: true }));
  if (id !== APPLICATION_ID + version) {
    throw new Fault(
      "buffer.damaged",
      `its header names schema ${version} in one place and ${id - APPLICATION_ID} in another`,
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new Fault(
      "buffer.newer",
      `the buffer has schema ${version}, this program knows schemas up to ${SCHEMA_VERSION}`,
      { hint: "Install the newer windfarm again: it wrote this file and can empty it." },
    );
  }
  if (version < SCHEMA_VERSION)
    throw new Fault("buffer.older", `an earlier windfarm wrote it, with schema ${version}`);
}

const EPOCH_LENGTH = 6;

/** A new epoch's name: six base-36 characters. `random` gives numbers from 0 up to but not including 1. */
export function newEpoch(random: () => number): string {
  let name = "";
  while (name.length < EPOCH_LENGTH) name += Math.floor(random() * 36).toString(36);
  return name;
}
