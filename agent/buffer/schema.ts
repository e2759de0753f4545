/** The tables of a buffer file, their versions, and how an older file becomes a newer one. */

import type { Database } from "better-sqlite3";
import { Fault } from "../errors.ts";
import { newEpoch } from "./epoch.ts";

/** Stands in SQLite's `user_version`. */
export const SCHEMA_VERSION = 1;
/**
 * Stands in SQLite's `application_id`: "WFB" and the schema's version once more, so that a flipped bit in one of the two
 * numbers is told from a file that a newer program wrote.
 */
export const APPLICATION_ID = 0x57464200;

/**
 * groups: one row a commit group. `key` is its place in the queue: `epoch_base + seq` of its first reading, below zero
 * for what was salvaged. `bytes` is the body's inflated length, `crc` the CRC-32 of `body` as stored (null: unknown).
 * state: the one row that makes a start independent of the backlog.
 * rejects: the reject lane; `count` readings a row, `bytes` what the row is charged.
 * salvage: files set aside that are still being read.
 */
const VERSION_1 = `
  CREATE TABLE groups (
    key INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL, received INTEGER NOT NULL,
    codec INTEGER NOT NULL, crc INTEGER, body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE rejects (
    number INTEGER PRIMARY KEY, received INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
    reason TEXT NOT NULL, detail TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL
  ) STRICT;
  CREATE TABLE salvage (
    file TEXT PRIMARY KEY, problem TEXT NOT NULL, stage TEXT NOT NULL, low INTEGER NOT NULL, low_reject INTEGER NOT NULL,
    place INTEGER NOT NULL, partial INTEGER NOT NULL, expected INTEGER NOT NULL, stumbled INTEGER NOT NULL, readings INTEGER NOT NULL, rejects INTEGER NOT NULL,
    lost INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL, born INTEGER NOT NULL, epoch_base INTEGER NOT NULL, last_key INTEGER NOT NULL,
    salvaged_key INTEGER NOT NULL, commits INTEGER NOT NULL,
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
  usedKeys?: { lastKey: number; salvagedKey: number };
}

/** Makes the tables of a new file, in one transaction. */
export function createSchema(db: Database, birth: Birth): void {
  const create = db.transaction(() => {
    db.exec(VERSION_1);
    const { lastKey, salvagedKey } = birth.usedKeys ?? { lastKey: 0, salvagedKey: FIRST_SALVAGED_KEY };
    db.prepare("INSERT INTO state VALUES (1, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0)").run(
      newEpoch(birth.random),
      birth.now(),
      lastKey,
      lastKey,
      salvagedKey,
    );
    setVersion(db, SCHEMA_VERSION);
  });
  create.immediate();
}

/** One step from version n to n + 1; must not touch every row, for a start may not depend on the backlog. */
export type Migration = (db: Database, birth: Birth) => void;

/**
 * From version n, at index n. Version 0 is the prototype's: groups(first_seq, count, bytes, received, body) with plain
 * bodies, accounts(epoch, last_seq, received, shipped, rejected, dropped).
 */
export const MIGRATIONS: readonly Migration[] = [fromPrototype];

/** Brings an older file to the newest schema, each step a transaction; the version found. Throws `buffer.newer`. */
export function migrate(db: Database, birth: Birth, migrations: readonly Migration[] = MIGRATIONS): number {
  const found = readVersion(db);
  const newest = migrations.length;
  if (found > newest) {
    throw new Fault(
      "buffer.newer",
      `the buffer has schema ${found}, this program knows schemas up to ${newest}`,
      {
        hint: "Install the newer windfarm again: it wrote this file and can empty it.",
      },
    );
  }
  for (const [from, step] of migrations.entries()) {
    if (from < found) continue;
    const run = db.transaction(() => {
      step(db, birth);
      setVersion(db, from + 1);
    });
    run.immediate();
  }
  return found;
}

function setVersion(db: Database, version: number): void {
  db.pragma(`application_id = ${APPLICATION_ID + version}`);
  db.pragma(`user_version = ${version}`);
}

function readVersion(db: Database): number {
  const version = Number(db.pragma("user_version", { simple: true }));
  const id = Number(db.pragma("application_id", { simple: true }));
  if (version === 0 && id === 0) return 0;
  if (id === APPLICATION_ID + version) return version;
  throw new Fault(
    "buffer.damaged",
    `its header names schema ${version} in one place and ${id - APPLICATION_ID} in another`,
  );
}

function fromPrototype(db: Database, birth: Birth): void {
  db.exec(`
    ALTER TABLE groups RENAME COLUMN first_seq TO key;
    ALTER TABLE groups ADD COLUMN codec INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE groups ADD COLUMN crc INTEGER;
    ALTER TABLE accounts RENAME TO old_accounts;
    ${VERSION_1.slice(VERSION_1.indexOf("CREATE TABLE rejects"))}
  `);
  db.prepare(
    `INSERT INTO state SELECT 1, epoch, ?, 0, last_seq, ?, 0,
       received, received - shipped - rejected - dropped, shipped, rejected, dropped, 0, 0 FROM old_accounts`,
  ).run(birth.now(), FIRST_SALVAGED_KEY);
  db.exec("DROP TABLE old_accounts");
}
