/**
 * Reads what SQLite can still read of a damaged file, row by row from the oldest on. When it meets an error, it looks for the
 * nearest key behind the damage, in growing steps and then by halving the last one. Only bodies whose own checksum holds are believed: a reading
 * comes back as it was acknowledged or not at all.
 */

import { existsSync } from "node:fs";
import type { Database } from "better-sqlite3";
import { packLines } from "../gzip.ts";
import { isCutShort } from "../log-end.ts";
import type { GroupRow, RejectRow } from "../store.ts";
import { inOrder } from "../store.ts";
import { type OldGroup, unpackRow } from "./old-schema.ts";
import type { Found, Progress, SeqSpan } from "./progress.ts";

/** Rows read in one step, at most, and the bytes of their bodies. */
const STEP_ROWS = 64;
const STEP_BYTES = 64 * 1024;
const TOP = Number.MAX_SAFE_INTEGER;

export class SalvageReader {
  readonly #db: Database;
  readonly #isOld: boolean;
  /** `db` stays the caller's. */
  constructor(db: Database) {
    this.#db = db;
    const columns = db.prepare<[], string>("SELECT name FROM pragma_table_info('groups')").pluck().all();
    this.#isOld = columns.includes("codec");
  }

  /** The next piece. Throws only if the progress itself makes no sense. */
  read(at: Progress): Found {
    const next = { ...at, seqs: { ...at.seqs } };
    if (next.told === undefined) this.#readAccounts(next);
    const groups: Omit<GroupRow, "key">[] = [];
    const rejects: RejectRow[] = [];
    if (at.stage === "groups") this.#readGroups(next, groups);
    else if (at.stage === "rejects") this.#readRejects(next, rejects);
    return { groups, rejects, next };
  }

  #readAccounts(next: Progress): void {
    try {
      const row = this.#db.prepare<[], Record<string, number | string>>("SELECT * FROM state").get();
      if (row === undefined) return;
      const lastKey = Number(row.last_key);
      const newest =
        "SELECT ifnull(sum(count), 0) AS readings, max(key + count) - 1 AS end FROM groups WHERE key > ?";
      const after = this.#db.prepare<[number], { readings: number; end: number | null }>(newest).get(lastKey);
      const lastSeq = (after?.end ?? lastKey) - Number(row.epoch_base);
      const buffered = Number(row.buffered) + (after?.readings ?? 0);
      if (!Number.isSafeInteger(lastSeq) || !Number.isSafeInteger(buffered)) return;
      const closed = row.closed === 1 && !this.#hasLog();
      next.told = { epoch: String(row.epoch), lastSeq, buffered, closed };
    } catch {
      // Then nobody knows how many readings there were.
    }
  }

  /** True if anything stands in the log: the file may have been used again in a part of it that can't be read. */
  #hasLog(): boolean {
    const log = `${this.#db.name}-wal`;
    return existsSync(log) && isCutShort(log, 0);
  }

  #readGroups(next: Progress, groups: Omit<GroupRow, "key">[]): void {
    const select = this.#db.prepare<[number], GroupRow | OldGroup>(
      "SELECT * FROM groups WHERE key > ? ORDER BY key LIMIT 1",
    );
    const find = (after: number) => inOrder(select.get(after), after, Number.POSITIVE_INFINITY);
    let bytes = 0;
    for (let rows = 0; rows < STEP_ROWS && bytes < STEP_BYTES; rows++) {
      const row = nextRow(find, next.afterKey, next);
      if (row === undefined) {
        next.stage = "rejects";
        return;
      }
      next.afterKey = row.key;
      if (!isGroup(row)) {
        next.damaged += readingsIn(row);
        continue;
      }
      bytes += row.body.length;
      const group = this.#believe(next, row);
      if (group !== undefined) groups.push(group);
    }
  }

  #readRejects(next: Progress, rejects: RejectRow[]): void {
    const select = this.#db.prepare<[number], RejectRow & { key: number }>(
      "SELECT *, number AS key FROM rejects WHERE number > ? ORDER BY number LIMIT 1",
    );
    const find = (after: number) => inOrder(select.get(after), after, Number.POSITIVE_INFINITY);
    let bytes = 0;
    for (let rows = 0; rows < STEP_ROWS && bytes < STEP_BYTES; rows++) {
      const row = nextRow(find, next.afterReject, next);
      if (row === undefined) {
        next.stage = "done";
        return;
      }
      next.afterReject = row.key;
      // Schema 1 had no such column.
      const reject = { ...row, dup: row.dup === undefined ? 0 : row.dup };
      if (!isReject(reject)) {
        next.damaged += readingsIn(row);
        continue;
      }
      rejects.push(reject);
      next.rejects++;
      bytes += reject.payload.length;
    }
  }

  #believe(next: Progress, row: GroupRow | OldGroup): Omit<GroupRow, "key"> | undefined {
    const lines = unpackRow(row);
    if (lines === undefined) {
      next.damaged += row.count;
      return undefined;
    }
    next.readings += row.count;
    countSeqs(next.seqs, lines);
    const body = this.#isOld ? packLines(lines) : row.body;
    return { count: row.count, received: row.received, body };
  }
}

/** What a row may hold whatever its table declares: SQLite checks types when it writes, and a damaged page is not written by it. */
type Unchecked<Row> = { [Column in keyof Row]: unknown };

function isGroup(row: Unchecked<GroupRow>): boolean {
  return isNumber(row.key) && isCount(row.count) && isNumber(row.received) && Buffer.isBuffer(row.body);
}

function isReject({ received, count, bytes, dup, payload, ...texts }: Unchecked<RejectRow>): boolean {
  const { reason, detail, topic } = texts;
  const numbers = isNumber(received) && isCount(count) && isCount(bytes) && isNumber(dup);
  const isText = [reason, detail, topic].every((each) => typeof each === "string");
  return numbers && isText && Buffer.isBuffer(payload);
}

function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && isNumber(value) && value > 0;
}

/** Readings that a row tells of which is not believed otherwise; it held one at least. */
function readingsIn({ count }: { count: unknown }): number {
  return isCount(count) ? count : 1;
}

/** The first row behind `after`, past what can't be read; undefined at the end. */
function nextRow<Row>(
  find: (after: number) => Row | undefined,
  after: number,
  next: Progress,
): Row | undefined {
  try {
    return find(after);
  } catch {
    next.skipped++;
    const behind = behindDamage((key) => canRead(find, key), after);
    return behind < TOP ? find(behind) : undefined;
  }
}

/** The lowest key from which on reading succeeds again, as far as that grows with the key. */
function behindDamage(works: (after: number) => boolean, after: number): number {
  let bad = after;
  let good = after + 1;
  for (let step = 1; good < TOP && !works(good); step *= 2) {
    bad = good;
    good = after + 2 * step;
  }
  good = Math.min(good, TOP);
  while (good - bad > 1) {
    const middle = Math.floor(bad / 2 + good / 2);
    if (middle <= bad || middle >= good) break;
    if (works(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

function canRead(find: (after: number) => unknown, after: number): boolean {
  try {
    find(after);
    return true;
  } catch {
    return false;
  }
}

const DELIVERY = /"epoch":"([^"]*)","seq":(\d+)/;

function countSeqs(seqs: Record<string, SeqSpan>, lines: Buffer): void {
  for (const line of lines.toString().split("\n")) {
    const [, epoch, digits] = DELIVERY.exec(line) ?? [];
    if (epoch === undefined) continue;
    const seq = Number(digits);
    const known = seqs[epoch];
    if (known === undefined) {
      seqs[epoch] = { first: seq, last: seq, count: 1 };
      continue;
    }
    const { first, last, count } = known;
    seqs[epoch] = { first: Math.min(first, seq), last: Math.max(last, seq), count: count + 1 };
  }
}
