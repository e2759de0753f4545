/** Puts readings back into the buffer: an export, lines from anywhere, or a buffer file that was set aside. */

import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readSync, realpathSync } from "node:fs";
import { open } from "node:fs/promises";
import { Fault } from "../../errors.ts";
import { openReadOnly } from "../connection.ts";
import { GROUP_BYTES, GROUP_READINGS } from "../group-writer.ts";
import { packLines } from "../gzip.ts";
import { isShippedReading } from "../lines.ts";
import { openDamaged } from "../salvage/open-damaged.ts";
import { addSaved, newProgress, pagesForSaved, type Saved } from "../salvage/progress.ts";
import { SalvageReader } from "../salvage/reader.ts";
import { type OfflineSettings, type OwnedBuffer, withOwned } from "./offline.ts";

const QUARANTINED = /\.damaged-\d{8}T\d{6}Z(-\d+)?$/;

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
export function requeue(settings: OfflineSettings, file: string): Promise<Requeued> {
  return withOwned(settings, async (buffer) => {
    if (realpathSync(file) === realpathSync(settings.path)) {
      throw new Fault("buffer.same_file", `${file} is the buffer itself`, {
        hint: "Name an export (NDJSON) or a file that was set aside (….damaged-…).",
      });
    }
    const done: Requeued = { readings: 0, rejects: 0, unreadable: 0 };
    const pieces = isDatabase(file) ? fromDatabase(file, done) : fromLines(file, done);
    for await (const piece of pieces) put(buffer, piece, settings, done);
    return done;
  });
}

function put(buffer: OwnedBuffer, saved: Saved, { rejectsMaxBytes }: OfflineSettings, done: Requeued): void {
  if (pagesForSaved(saved) > buffer.store.roomPages()) {
    throw new Fault(
      "buffer.full",
      `the buffer has no room for more; ${done.readings} readings were put back`,
      {
        hint: "Let the agent deliver some, or raise buffer.max_size; then run this again: what is there twice does no harm.",
      },
    );
  }
  buffer.change((store, state) => addSaved(store, state, saved, rejectsMaxBytes));
  done.readings += saved.groups.reduce((sum, group) => sum + group.count, 0);
  done.rejects += saved.rejects.length;
}

function isDatabase(file: string): boolean {
  const start = Buffer.alloc(16);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, start, 0, start.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return start.toString("latin1").startsWith("SQLite format 3") || QUARANTINED.test(file);
}

function* fromDatabase(file: string, done: Requeued): Generator<Saved> {
  // A quarantined file may need a fresh first page; another one is left as it is.
  const db = QUARANTINED.test(file) ? openDamaged(file) : openReadOnly(file);
  try {
    const reader = new SalvageReader(db);
    for (let progress = newProgress(file, ""); progress.stage !== "done"; ) {
      const found = reader.read(progress);
      done.unreadable += found.next.damaged - progress.damaged;
      progress = found.next;
      yield found;
    }
  } finally {
    db.close();
  }
}

async function* fromLines(file: string, done: Requeued): AsyncGenerator<Saved> {
  const input = await open(file);
  let lines: string[] = [];
  let bytes = 0;
  try {
    // Bytes as they are: decoded at once, a damaged character would become another one.
    for await (const bytesOfLine of input.readLines({ encoding: "latin1" })) {
      if (bytesOfLine === "") continue;
      const raw = Buffer.from(bytesOfLine, "latin1");
      const line = raw.toString("utf8");
      if (!isUtf8(raw) || !isShippedReading(line)) {
        done.unreadable++;
        continue;
      }
      lines.push(line);
      bytes += raw.length;
      if (lines.length < GROUP_READINGS && bytes < GROUP_BYTES) continue;
      yield groupOf(lines);
      lines = [];
      bytes = 0;
    }
    if (lines.length > 0) yield groupOf(lines);
  } finally {
    await input.close();
  }
}

function groupOf(lines: string[]): Saved {
  const body = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const first: { received: string } = JSON.parse(lines[0] ?? "{}");
  const received = Date.parse(first.received);
  return {
    groups: [{ count: lines.length, received, body: packLines(body) }],
    rejects: [],
  };
}
