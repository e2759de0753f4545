/**
 * Reads what SQLite can still read of a damaged file, row by row from the oldest on. When it meets an error, it looks for the
 * nearest key behind the damage, in growing steps and then by halving the last one. Only bodies whose own checksum holds are believed: a reading
 * comes back as it was acknowledged or not at all.
 */

import type { Database } from "better-sqlite3";
import { packLines } from "../gzip.ts";
import type { GroupRow, RejectRow } from "../store.ts";
import { inOrder } from "../store.ts";
import { type OldGroup, unpackRow } from "./old-schema.ts";
import type { Progress, Saved, SeqSpan } from "./progress.ts";

export interface Found extends Saved {
  /** Where the reading stands after this. */
  next: Progress;
}

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
      next.told = {
        epoch: String(row.epoch),
        lastSeq: (after?.end ?? lastKey) - Number(row.epoch_base),
        buffered: Number(row.buffered) + (after?.readings ?? 0),
        closed: row.closed === 1,
      };
    } catch {
      // Then nobody knows how many readings there were.
    }
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
    for (; rejects.length < STEP_ROWS && bytes < STEP_BYTES; next.rejects++) {
      const row = nextRow(find, next.afterReject, next);
      if (row === undefined) {
        next.stage = "done";
        return;
      }
      rejects.push({ ...row, dup: row.dup ?? 0 });
      next.afterReject = row.key;
      bytes += row.payload.length;
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
