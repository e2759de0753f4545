/**
 * What can still be read of a file that was set aside, step by step: first as SQLite reads it, from the oldest group up and
 * from the newest down to where it stumbles, and the rejects; then, where it stumbled, page by page with our own eyes.
 */

import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";
import { Fault } from "../errors.ts";
import { openReadOnly } from "./connection.ts";
import { looseLines } from "./loose-lines.ts";
import { PageSource } from "./pages.ts";
import { type FoundRow, isTableLeaf, readLeaf } from "./records.ts";
import { READ_DISK, type ReadSectors } from "./sectors.ts";
import { type GroupRow, inOrder, type RejectRow, Store } from "./store.ts";
import { inspectLog } from "./wal.ts";

/** up, down: groups by key. rejects: by number. pages: by page number. done: the report is still to be written. */
export type Stage = "up" | "down" | "rejects" | "pages" | "done";

/** How far the reading of a file has come; kept in the new buffer, so that a restart goes on. */
export interface Progress {
  file: string;
  /** Why it was set aside. */
  problem: string;
  stage: Stage;
  /** Groups with this key or a lower one are saved or not wanted. */
  low: number;
  /** Rejects with this number or a lower one, likewise. */
  lowReject: number;
  /** Place within the stage. */
  place: number;
  /** 1 where only the log of a file still in use was set aside; pages that it doesn't change are none of its business. */
  partial: number;
  /** Readings the file's accounts say it held, -1 where nobody knows. */
  expected: number;
  /** 0 where all could be read, 1 where SQLite stumbled; besides, how many pages and frames of the log the disk refused. */
  stumbled: number;
  /** Saved so far. */
  readings: number;
  rejects: number;
  /** Readings known to be there that could not be read. */
  lost: number;
}

/** What is known of a file when it is set aside. */
export type Ruin = Pick<Progress, "file" | "problem"> & Partial<Progress>;

/** Where the reading of a file begins. */
export function progressOf(ruin: Ruin): Progress {
  const low = Number.MIN_SAFE_INTEGER;
  const counts = { readings: 0, rejects: 0, lost: 0 };
  const begin = {
    stage: "up" as const,
    low,
    lowReject: low,
    place: 0,
    partial: 0,
    expected: -1,
    stumbled: 0,
  };
  return { ...begin, ...counts, ...ruin };
}

export interface Found {
  groups: GroupRow[];
  rejects: RejectRow[];
  partial: boolean;
  /** Lines found on a page whose rows can't be read. */
  loose: Buffer[];
  /** Where the reading stands after this. */
  next: Pick<Progress, "stage" | "low" | "lowReject" | "place" | "stumbled" | "expected">;
}

/** Rows and pages read in one step, at most. */
const STEP_ROWS = 64;
const STEP_BYTES = 128 * 1024;
const STEP_PAGES = 256;
/** Pages that the disk may refuse before it has given the first one; then it is not the file's fault. */
export const MAX_REFUSED_PAGES = 64;

const GROUP = "key, count, bytes, received, codec, crc, body";
const REJECT = "number, received, count, bytes, reason, detail, topic, payload";
const TOP = Number.MAX_SAFE_INTEGER;

export class SalvageSource {
  readonly #path: string;
  readonly #readSectors: ReadSectors;
  #db: Database | undefined;
  #pages: PageSource | undefined;
  #free = new Set<number>();
  #pagesRead = 0;
  /** How far the pages were tried while none could be read. */
  #ahead = 0;

  constructor(path: string, readSectors: ReadSectors = READ_DISK) {
    this.#path = path;
    this.#readSectors = readSectors;
  }

  /** The next piece after `at`. Throws where nothing of the file can be read now. */
  read(at: Progress): Found {
    const { stage, low, lowReject, place, stumbled, expected } = at;
    const next = { stage, low, lowReject, place, stumbled, expected };
    const found: Found = { groups: [], rejects: [], loose: [], partial: at.partial === 1, next };
    if (stage === "pages") this.#readPages(found);
    else this.#walk(found);
    return found;
  }

  close(): void {
    this.#db?.close();
    this.#pages?.close();
    this.#db = undefined;
    this.#pages = undefined;
  }

  #walk(found: Found): void {
    const { next } = found;
    try {
      this.#db ??= this.#open(next);
      if (next.stage === "up") this.#walkUp(this.#db, found);
      else if (next.stage === "down") this.#walkDown(this.#db, found);
      else this.#walkRejects(this.#db, found);
    } catch {
      // SQLite gives up here; what it gave before stays.
      next.stumbled = Math.max(next.stumbled, 1);
      this.#nextStage(found, next.stage === "up" ? "down" : next.stage === "down" ? "rejects" : "pages");
    }
  }

  #open(next: Found["next"]): Database {
    // Beside an empty file SQLite would delete the log unread.
    if (statSync(this.#path).size === 0) throw new Fault("buffer.damaged", "the file is empty");
    const db = openReadOnly(this.#path);
    try {
      next.expected = Store.readStateOf(db)?.buffered ?? next.expected;
    } catch {
      // Then nobody knows how many readings there were.
    }
    return db;
  }

  #walkUp(db: Database, found: Found): void {
    const rows = db.prepare<[number], GroupRow>(
      `SELECT ${GROUP} FROM groups WHERE key > ? ORDER BY key LIMIT 1`,
    );
    for (let bytes = 0; found.groups.length < STEP_ROWS && bytes < STEP_BYTES; ) {
      const row = inOrder(rows.get(found.next.low), found.next.low, Number.POSITIVE_INFINITY);
      if (row === undefined) {
        this.#nextStage(found, "rejects");
        return;
      }
      found.groups.push(row);
      found.next.low = row.key;
      bytes += row.body.length;
    }
  }

  #walkDown(db: Database, found: Found): void {
    const rows = db.prepare<[number, number], GroupRow>(
      `SELECT ${GROUP} FROM groups WHERE key < ? AND key > ? ORDER BY key DESC LIMIT 1`,
    );
    for (let bytes = 0; found.groups.length < STEP_ROWS && bytes < STEP_BYTES; ) {
      const row = inOrder(rows.get(found.next.place, found.next.low), found.next.low, found.next.place);
      if (row === undefined) {
        this.#nextStage(found, "rejects");
        return;
      }
      found.groups.push(row);
      found.next.place = row.key;
      bytes += row.body.length;
    }
  }

  #walkRejects(db: Database, found: Found): void {
    const rows = db.prepare<[number], RejectRow & { number: number }>(
      `SELECT ${REJECT} FROM rejects WHERE number > ? ORDER BY number LIMIT 1`,
    );
    for (let bytes = 0; found.rejects.length < STEP_ROWS && bytes < STEP_BYTES; ) {
      const after = found.next.lowReject;
      const row = rows.get(after);
      if (row === undefined) {
        this.#nextStage(found, "pages");
        return;
      }
      const { number, ...reject } = row;
      if (number <= after) throw new Fault("buffer.damaged", "its rejects are out of order");
      found.rejects.push(reject);
      found.next.lowReject = number;
      bytes += row.payload.length;
    }
  }

  #nextStage({ next }: Found, stage: Stage): void {
    next.stage = stage;
    next.place = stage === "down" ? TOP : 0;
    if (stage !== "pages") return;
    // SQLite says nothing of a log that it can't read.
    const needed = next.stumbled > 0 || inspectLog(this.#path, this.#readSectors) !== "clean";
    if (!needed) next.stage = "done";
  }

  #readPages(found: Found): void {
    const { next } = found;
    const pages = this.#openPages();
    const refused = pages.unreadable;
    let place = Math.max(next.place, this.#ahead);
    const end = Math.min(pages.count, place + STEP_PAGES);
    // A sector that can't be read may cost the disk seconds, so one is enough for a step.
    for (let bytes = 0; place < end && bytes < STEP_BYTES && pages.unreadable === refused; ) {
      place++;
      const number = pages.numberAt(place);
      const page = this.#free.has(number) ? undefined : pages.page(number);
      if (page === undefined) continue;
      this.#pagesRead++;
      bytes += this.#readPage(page, number, found);
    }
    if (pages.unreadable > 0) next.stumbled = Math.max(next.stumbled, 1 + pages.unreadable);
    const isEnd = place >= pages.count;
    if (this.#pagesRead === 0 && pages.unreadable > 0) {
      // Perhaps the disk gives nothing at all for now: those pages are not passed over for good.
      this.#ahead = place;
      if (!isEnd && pages.unreadable < MAX_REFUSED_PAGES) return;
      throw new Fault("buffer.unreadable", "the disk gives no page of it", { retry: true });
    }
    next.place = place;
    if (isEnd) next.stage = "done";
  }

  #openPages(): PageSource {
    if (this.#pages !== undefined) return this.#pages;
    this.#pages = new PageSource(this.#path, this.#readSectors);
    this.#free = this.#pages.freePages();
    return this.#pages;
  }

  /** Adds what the page holds; bytes found. */
  #readPage(page: Buffer, number: number, found: Found): number {
    let broken = 1;
    let bytes = 0;
    if (isTableLeaf(page, number)) {
      const leaf = readLeaf(page, number, (other) => this.#pages?.page(other));
      broken = leaf.broken;
      for (const row of leaf.rows) bytes += take(row, found);
    }
    // In a log whose file is still in use, plain lines can't be told from those the file holds.
    const loose = broken > 0 && !found.partial ? looseLines(page) : Buffer.alloc(0);
    if (loose.length > 0) found.loose.push(loose);
    return bytes + loose.length;
  }
}

/** Adds a row found on a page; its bytes. */
function take(row: FoundRow, { groups, rejects, next }: Found): number {
  if ("buffered" in row) {
    // A lower bound: the newest groups may have been written after the accounts.
    next.expected = Math.max(next.expected, row.buffered);
    return 0;
  }
  if ("group" in row) {
    if (row.group.key > next.low) groups.push(row.group);
    return row.group.body.length;
  }
  if (row.number > next.lowReject) rejects.push(row.reject);
  return row.reject.payload.length;
}
