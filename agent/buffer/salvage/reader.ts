/**
 * Reads what SQLite can still read of a damaged file, row by row from the oldest on. When it meets an error, it looks for the
 * nearest key behind the damage, in growing steps and then by halving the last one. Only bodies whose own checksum holds are
 * believed: a reading comes back as it was acknowledged or not at all.
 */

import { existsSync } from "node:fs";
import { crc32, inflateRawSync } from "node:zlib";
import type { Database } from "better-sqlite3";
import { z } from "zod";
import { countLines, MAX_BODY_BYTES, packLines, unpackGroup } from "../gzip.ts";
import { isCutShort } from "../log-end.ts";
import { inOrder, type RejectRow } from "../store.ts";
import { LOWEST_KEY, type Progress, type SavedGroup, type SeqSpan } from "./progress.ts";

/** Rows read in one step, at most, and the bytes of their bodies. */
const STEP_ROWS = 64;
const STEP_BYTES = 64 * 1024;
const HIGHEST_KEY = Number.MAX_SAFE_INTEGER;

/** What one step brought, and where the reading stands after it. */
export interface Piece {
  groups: SavedGroup[];
  rejects: RejectRow[];
  next: Progress;
}

/** The next piece of the file behind `db`. Throws SQLite's error where a table can't be found. */
export function readPiece(db: Database, at: Progress): Piece {
  const next = { ...at, seqs: { ...at.seqs }, told: at.told ?? accountsIn(db) };
  const piece: Piece = { groups: [], rejects: [], next };
  const key = at.stage === "groups" ? "key" : "number";
  const select = db.prepare<[number], Row>(
    `SELECT *, ${key} AS key FROM ${at.stage} WHERE ${key} > ? ORDER BY ${key} LIMIT 1`,
  );
  const find = (after: number) => inOrder(select.get(after), after, Number.POSITIVE_INFINITY);
  let bytes = 0;
  for (let rows = 0; rows < STEP_ROWS && bytes < STEP_BYTES; rows++) {
    const row = nextRow(find, next);
    if (row === undefined) {
      next.stage = at.stage === "groups" ? "rejects" : "done";
      next.after = LOWEST_KEY;
      break;
    }
    next.after = row.key;
    bytes += at.stage === "groups" ? takeGroup(row, piece) : takeReject(row, piece);
  }
  return piece;
}

/** As SQLite gives it: types are checked when it writes, and a damaged page was not written by it. */
interface Row {
  key: number;
  count?: unknown;
}

const Count = z.int().positive();
const Blob = z.instanceof(Buffer);
/** Schema 1 had bodies that were plain (codec 0) or deflated, with a CRC-32 of what is stored beside them. */
const Group = z.object({
  count: Count,
  received: z.int(),
  body: Blob,
  codec: z.int().optional(),
  crc: z.int().nullish(),
});
/** Schema 1 had no `dup`. */
const Reject = z.object({
  received: z.int(),
  count: Count,
  bytes: Count,
  reason: z.string(),
  detail: z.string(),
  topic: z.string(),
  payload: Blob,
  dup: z.int().default(0),
});

/** The bytes that were taken. */
function takeGroup(row: Row, { groups, next }: Piece): number {
  const { data: group } = Group.safeParse(row);
  const lines = group === undefined ? undefined : linesOf(group);
  if (group === undefined || lines === undefined) return passOver(row, next);
  const { count, received, body } = group;
  next.readings += count;
  countSeqs(next.seqs, lines);
  groups.push({ count, received, body: group.codec === undefined ? body : packLines(lines) });
  return body.length;
}

function takeReject(row: Row, { rejects, next }: Piece): number {
  const { data: reject } = Reject.safeParse(row);
  if (reject === undefined) return passOver(row, next);
  next.rejects++;
  rejects.push(reject);
  return reject.payload.length;
}

/** A row that is not believed held the readings it tells of, or one at least. */
function passOver({ count }: Row, next: Progress): number {
  next.damaged += Count.safeParse(count).data ?? 1;
  return 0;
}

/** The NDJSON of an intact group, or undefined if it is damaged. */
function linesOf(group: z.output<typeof Group>): Buffer | undefined {
  const { count, body, codec, crc } = group;
  if (codec === undefined) return unpackGroup(group);
  if (crc32(body) !== crc) return undefined;
  const lines = codec === 0 ? body : inflateRawSync(body, { maxOutputLength: MAX_BODY_BYTES });
  return countLines(lines) === count ? lines : undefined;
}

const State = z.object({
  epoch: z.string(),
  epoch_base: z.int(),
  last_key: z.int(),
  buffered: z.int(),
  closed: z.int().default(0),
  newer: z.int(),
  newest: z.int().nullable(),
});

/** What the file's own accounts tell, with the readings whose rows were written after them; undefined if nobody knows. */
function accountsIn(db: Database): Progress["told"] {
  try {
    const row = db.prepare<[]>(
      `SELECT *, (SELECT ifnull(sum(count), 0) FROM groups WHERE key > last_key) AS newer,
        (SELECT max(key + count) - 1 FROM groups WHERE key > last_key) AS newest FROM state`,
    );
    const state = State.parse(row.get());
    const { epoch } = state;
    const lastSeq = (state.newest ?? state.last_key) - state.epoch_base;
    // What stands in the log may be the very write that took the file into use again, in a part of it that can't be read.
    const log = `${db.name}-wal`;
    const closed = state.closed === 1 && !(existsSync(log) && isCutShort(log, 0));
    return { epoch, lastSeq, buffered: state.buffered + state.newer, closed };
  } catch {
    return undefined;
  }
}

/** The first row behind the place that the reading has come to, past what can't be read; undefined at the end. */
function nextRow(find: (after: number) => Row | undefined, next: Progress): Row | undefined {
  const read = (after: number): { row: Row | undefined } | undefined => {
    try {
      return { row: find(after) };
    } catch {
      return undefined;
    }
  };
  let found = read(next.after);
  if (found !== undefined) return found.row;
  next.skipped++;
  let bad = next.after;
  let good = bad + 1;
  for (let step = 2; good < HIGHEST_KEY; step *= 2) {
    found = read(good);
    if (found !== undefined) break;
    bad = good;
    good = Math.min(bad + step, HIGHEST_KEY);
  }
  while (good - bad > 1) {
    const middle = bad + Math.floor((good - bad) / 2);
    const there = read(middle);
    if (there === undefined) bad = middle;
    else [good, found] = [middle, there];
  }
  return found?.row;
}

const DELIVERY = /"epoch":"([^"]*)","seq":(\d+)/;

function countSeqs(seqs: Record<string, SeqSpan>, lines: Buffer): void {
  for (const line of lines.toString().split("\n")) {
    const [, epoch, digits] = DELIVERY.exec(line) ?? [];
    if (epoch === undefined) continue;
    const seq = Number(digits);
    const { first, last, count } = seqs[epoch] ?? { first: seq, last: seq - 1, count: 0 };
    // One that was counted already, or comes out of order, fills no hole: better a hole too many than one unseen.
    const isNext = seq > last ? 1 : 0;
    seqs[epoch] = { first: Math.min(first, seq), last: Math.max(last, seq), count: count + isNext };
  }
}
