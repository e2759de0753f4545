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

/** Bytes read in one step, and what a row is charged besides its own. */
const STEP_BYTES = 128 * 1024;
const ROW_BYTES = 1024;
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
  for (let left = STEP_BYTES; left > 0; left -= ROW_BYTES) {
    const row = nextRow(find, next);
    if (row === undefined) {
      next.stage = at.stage === "groups" ? "rejects" : "done";
      next.after = LOWEST_KEY;
      break;
    }
    next.after = row.key;
    const taken = at.stage === "groups" ? takeGroup(row, piece) : takeReject(row, piece);
    // A row that is not believed held the readings it tells of, or one at least.
    if (taken === undefined) next.damaged += Count.safeParse(row.count).data ?? 1;
    else left -= taken.length;
  }
  return piece;
}

/** As SQLite gives it: types are checked when it writes, and a damaged page was not written by it. */
interface Row {
  key: number;
  count?: unknown;
}

const Int = z.int();
const Count = Int.positive();
const Blob = z.instanceof(Buffer);
const Text = z.string();
/** Schema 1 had bodies that were plain (codec 0) or deflated, beside them the CRC-32 of what is stored; and no `dup`. */
const OldGroup = z.object({ codec: Int.optional(), crc: Int.nullish() });
const Group = OldGroup.extend({ count: Count, received: Int, body: Blob });
const Texts = z.object({ reason: Text, detail: Text, topic: Text });
const Reject = Texts.extend({
  received: Int,
  count: Count,
  bytes: Count,
  payload: Blob,
  dup: Int.default(0),
});

/** The body that was taken; undefined if the row is damaged. */
function takeGroup(row: Row, { groups, next }: Piece): Buffer | undefined {
  const { data: group } = Group.safeParse(row);
  const lines = group && linesOf(group);
  if (group === undefined || lines === undefined) return undefined;
  const { count, received, body } = group;
  next.readings += count;
  countSeqs(next.seqs, lines);
  groups.push({ count, received, body: group.codec === undefined ? body : packLines(lines) });
  return body;
}

function takeReject(row: Row, { rejects, next }: Piece): Buffer | undefined {
  const { data: reject } = Reject.safeParse(row);
  if (reject === undefined) return undefined;
  next.rejects++;
  rejects.push(reject);
  return reject.payload;
}

/** The NDJSON of an intact group, or undefined if it is damaged. */
function linesOf(group: z.output<typeof Group>): Buffer | undefined {
  const { count, body, codec, crc } = group;
  if (codec === undefined) return unpackGroup(group);
  if (crc32(body) !== crc) return undefined;
  const lines = codec === 0 ? body : inflateRawSync(body, { maxOutputLength: MAX_BODY_BYTES });
  return countLines(lines) === count ? lines : undefined;
}

/** The file's accounts, with the readings whose rows were written after them. */
const TOLD = `SELECT *, buffered + (SELECT ifnull(sum(count), 0) FROM groups WHERE key > last_key) AS held,
  ifnull((SELECT max(key + count) - 1 FROM groups WHERE key > last_key), last_key) - epoch_base AS lastSeq FROM state`;
const Told = z.object({ epoch: Text, held: Int, lastSeq: Int, closed: Int.default(0) });

/** What the file's own accounts tell; undefined if they can't be read. */
function accountsIn(db: Database): Progress["told"] {
  try {
    const { epoch, held, lastSeq, closed } = Told.parse(db.prepare(TOLD).get());
    // What stands in the log may be the very write that took the file into use again, in a part of it that can't be read.
    const log = `${db.name}-wal`;
    return { epoch, held, lastSeq, closed: closed === 1 && !(existsSync(log) && isCutShort(log, 0)) };
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
  let [bad, good, found] = [next.after, next.after, read(next.after)];
  if (found === undefined) next.skipped++;
  for (let step = 1; found === undefined && good < HIGHEST_KEY; step *= 2) {
    bad = good;
    good = Math.min(bad + step, HIGHEST_KEY);
    found = read(good);
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
