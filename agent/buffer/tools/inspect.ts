/** Looks into a buffer beside a running agent or without one; never writes. */

import { once } from "node:events";
import { existsSync } from "node:fs";
import type { Writable } from "node:stream";
import type { Database } from "better-sqlite3";
import { codeOf, Fault, messageOf } from "../../errors.ts";
import { openReadOnly, PAGE_BYTES } from "../connection.ts";
import { sizeOf } from "../files.ts";
import { unpackGroup } from "../gzip.ts";
import { OwnerLock } from "../lock.ts";
import { quarantinedFiles } from "../salvage/quarantine.ts";
import { accountsOf, type State } from "../state.ts";
import { type GroupRow, type RejectRow, Store } from "../store.ts";

export type BufferStats = ReturnType<typeof statsOf>;

/** Told how many readings a long piece of work has come to. */
export type Look = (readings: number) => void;

export interface KeptReject extends RejectRow {
  number: number;
}

export const REJECTS =
  "SELECT number, received, count, bytes, reason, detail, topic, payload, dup FROM rejects";

/** Throws `buffer.missing`. */
export function assertThere(path: string): void {
  if (existsSync(path)) return;
  throw new Fault("buffer.missing", `there is no buffer at ${path}`, {
    hint: "It is made when the agent first runs; see buffer.path in the configuration (--config).",
  });
}

/** A connection that can only read; the caller closes it. Throws `buffer.missing`, `buffer.unreadable`. */
export function openForReading(path: string): Database {
  assertThere(path);
  try {
    return openReadOnly(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Runs `look` on such a connection. */
export function inspect<T>(path: string, look: (db: Database) => T): T {
  const db = openForReading(path);
  try {
    return look(db);
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    db.close();
  }
}

const UNREADABLE =
  "Run as the agent's user (sudo -u windfarm …). A damaged buffer is set aside and saved when the agent starts.";

/** What SQLite refuses to read, or what is only for the agent to mend, as `buffer.unreadable`. */
export function unreadable(path: string, error: unknown, hint = UNREADABLE): unknown {
  if (!/^(SQLITE_|buffer\.(damaged|older)$)/.test(codeOf(error) ?? "")) return error;
  const message = `the buffer ${path} can't be read: ${messageOf(error)}`;
  return new Fault("buffer.unreadable", message, { hint, cause: error });
}

/** In one transaction, so that a running agent can't change one side of the sum. */
export function statsOf(path: string) {
  return inspect(path, (db) => db.transaction(() => statsIn(db, path))());
}

function statsIn(db: Database, path: string) {
  const state = stateIn(db);
  const [oldestReceivedMs, newestReceivedMs] = ["ASC", "DESC"].map((order) =>
    db.prepare<[], number>(`SELECT received FROM groups ORDER BY key ${order} LIMIT 1`).pluck().get(),
  );
  const reasons = db.prepare<[], [string, number]>("SELECT reason, count(*) FROM rejects GROUP BY reason");
  const number = (pragma: string): number => Number(db.pragma(pragma, { simple: true }));
  return {
    path,
    /** Whether an agent owns the buffer now. */
    running: OwnerLock.isHeld(path),
    epoch: state.epoch,
    bornMs: state.born,
    /** `seq` of the newest reading of the epoch. */
    lastSeq: state.lastKey - state.epochBase,
    accounts: accountsOf(state),
    oldestReceivedMs,
    newestReceivedMs,
    /** The file's pages in use, the file, its log. */
    usedBytes: (number("page_count") - number("freelist_count")) * PAGE_BYTES,
    fileBytes: sizeOf(path),
    logBytes: sizeOf(`${path}-wal`),
    rejectsKept: state.rejectsKept,
    /** Messages kept, by reason. */
    rejects: Object.fromEntries(reasons.raw().all()),
    /** Quarantined files. */
    aside: quarantinedFiles(path),
  };
}

/** Groups from the oldest to the newest, a read transaction each, so that a running agent's log is not held back. */
export function* groupsOf(db: Database): Generator<GroupRow> {
  const next = db.prepare<[number], GroupRow>(
    "SELECT key, count, received, body FROM groups WHERE key > ? ORDER BY key LIMIT 1",
  );
  for (let row = next.get(Number.MIN_SAFE_INTEGER); row !== undefined; row = next.get(row.key)) yield row;
}

/** The newest `limit` rejects, newest first. */
export function newestRejects(path: string, limit: number): KeptReject[] {
  const newest = `${REJECTS} ORDER BY number DESC LIMIT ?`;
  return inspect(path, (db) => db.prepare<[number], KeptReject>(newest).all(limit));
}

export interface Exported {
  readings: number;
  /** In groups that are damaged. */
  lost: number;
}

/** Writes the buffered readings to `out` as NDJSON, oldest first, as they would be shipped. Throws also what `out` fails with. */
export async function exportBuffer(path: string, out: Writable, look: Look = () => {}): Promise<Exported> {
  const done: Exported = { readings: 0, lost: 0 };
  const db = openForReading(path);
  try {
    for (const group of groupsOf(db)) {
      const lines = unpackGroup(group);
      if (lines === undefined) done.lost += group.count;
      else done.readings += group.count;
      look(done.readings);
      if (lines !== undefined && !out.write(lines)) await once(out, "drain");
    }
    return done;
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    db.close();
  }
}

export function stateIn(db: Database): State {
  const state = Store.readStateOf(db);
  if (state !== undefined) return state;
  throw new Fault("buffer.unreadable", `${db.name} holds no accounts`, {
    hint: "Start the agent: it sets a damaged buffer aside and saves what can be read.",
  });
}
