/** Puts readings back into the buffer: an export, lines from anywhere, or a buffer file that was set aside. */

import { isUtf8 } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import { openReadOnly } from "../connection.ts";
import { GROUP_BYTES, GROUP_READINGS } from "../group-writer.ts";
import { packLines } from "../gzip.ts";
import { isShippedReading } from "../lines.ts";
import { openDamaged } from "../salvage/open-damaged.ts";
import { addSaved, newProgress, pagesForSaved, type Saved } from "../salvage/progress.ts";
import { readPiece } from "../salvage/reader.ts";
import { type Look, unreadable } from "./inspect.ts";
import { noRoom, type OfflineSettings, withOwned } from "./offline.ts";

const QUARANTINED = /\.damaged-\d{8}T\d{6}Z(-\d+)?$/;
const SQLITE = "SQLite format 3";
const LONGEST_LINE = 1024 * 1024;

export interface Requeued {
  readings: number;
  rejects: number;
  /** Lines that are no shipped readings, and readings of a buffer file that could not be read. */
  unreadable: number;
}

/**
 * Puts the readings of `file` in front of the queue. They keep the gateway, epoch and seq they were given first, so that
 * the lake knows those it has already. Throws `buffer.locked` while an agent runs, `buffer.full` where not all fits.
 */
export function requeue(settings: OfflineSettings, file: string, look: Look = () => {}): Promise<Requeued> {
  const { path, rejectsMaxBytes } = settings;
  const done: Requeued = { readings: 0, rejects: 0, unreadable: 0 };
  return withOwned(settings, async ({ store, change }) => {
    for await (const piece of piecesOf(file, done)) {
      if (pagesForSaved(piece) > store.roomPages()) throw noRoom(path);
      change((state) => addSaved(store, state, piece, rejectsMaxBytes));
      done.readings += piece.groups.reduce((sum, { count }) => sum + count, 0);
      done.rejects += piece.rejects.length;
      look(done.readings);
    }
    return done;
  });
}

async function* piecesOf(file: string, done: Requeued): AsyncGenerator<Saved> {
  const input = await open(file);
  try {
    const { buffer: start } = await input.read({ buffer: Buffer.alloc(SQLITE.length), position: 0 });
    if (start.toString() === SQLITE || QUARANTINED.test(file)) yield* fromDatabase(file, done);
    else yield* fromLines(input, done);
  } finally {
    await input.close();
  }
}

function* fromDatabase(file: string, done: Requeued): Generator<Saved> {
  // A quarantined file may need a fresh header; another one is left as it is.
  const db = QUARANTINED.test(file) ? openDamaged(file) : openReadOnly(file);
  try {
    for (let progress = newProgress(file, ""); progress.stage !== "done"; ) {
      const piece = readPiece(db, progress);
      done.unreadable += piece.next.damaged - progress.damaged;
      progress = piece.next;
      yield piece;
    }
  } catch (error) {
    throw unreadable(
      file,
      error,
      "Name an export (NDJSON) or a buffer file that was set aside (….damaged-…).",
    );
  } finally {
    db.close();
  }
}

async function* fromLines(input: FileHandle, done: Requeued): AsyncGenerator<Saved> {
  let lines: string[] = [];
  let bytes = 0;
  for await (const raw of linesOf(input)) {
    const line = raw.toString("utf8");
    if (isUtf8(raw) && isShippedReading(line)) {
      lines.push(line);
      bytes += raw.length;
    } else done.unreadable++;
    if (lines.length < GROUP_READINGS && bytes < GROUP_BYTES) continue;
    yield groupOf(lines);
    lines = [];
    bytes = 0;
  }
  if (lines.length > 0) yield groupOf(lines);
}

/** Lines that are not empty, as bytes: decoded at once, a damaged character would become another one. */
async function* linesOf(input: FileHandle): AsyncGenerator<Buffer> {
  let rest = "";
  for await (const chunk of input.createReadStream({ encoding: "latin1", start: 0 })) {
    const lines = `${rest}${chunk}`.split(/[\r\n]+/);
    rest = lines.pop() ?? "";
    // No reading is so long: what comes in pieces is none, and never held whole, as the runtime's reader would.
    if (rest.length > LONGEST_LINE) {
      lines.push(rest);
      rest = "";
    }
    for (const line of lines) if (line !== "") yield Buffer.from(line, "latin1");
  }
  if (rest !== "") yield Buffer.from(rest, "latin1");
}

function groupOf(lines: string[]): Saved {
  const first: { received: string } = JSON.parse(lines[0] ?? "{}");
  const body = packLines(Buffer.from(lines.map((line) => `${line}\n`).join("")));
  return { groups: [{ count: lines.length, received: Date.parse(first.received), body }], rejects: [] };
}
