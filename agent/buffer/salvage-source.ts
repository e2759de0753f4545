/**
 * What can still be read of a file that was set aside, step by step: first as SQLite reads it, from the oldest group up and
 * from the newest down to where it stumbles, and the rejects; then, where it stumbled, page by page with our own eyes.
 */

import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";
import { Fault } from "../errors.ts";
import { openReadOnly, PAGE_BYTES } from "./connection.ts";
import { readableLines } from "./lines.ts";
import { PageSource } from "./pages.ts";
import { type FoundRow, isTableLeaf, readLeaf } from "./records.ts";
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
  /** 1 where SQLite stumbled. */
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
const STEP_BYTES = 256 * 1024;
const STEP_PAGES = 256;

const GROUP = "key, count, bytes, received, codec, crc, body";
const REJECT = "number, received, count, bytes, reason, detail, topic, payload";
const TOP = Number.MAX_SAFE_INTEGER;

export class SalvageSource {
  readonly #path: string;
  #db: Database | undefined;
  #pages: PageSource | undefined;
  #free = new Set<number>();

  constructor(path: string) {
    this.#path = path;
  }

  /** The next piece after `at`. */
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
      next.stumbled = 1;
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
    const needed = next.stumbled === 1 || inspectLog(this.#path) !== "clean";
    if (!needed) next.stage = "done";
  }

  #readPages(found: Found): void {
    const { next } = found;
    if (this.#pages === undefined) {
      this.#pages = new PageSource(this.#path);
      this.#free = this.#pages.freePages();
    }
    const pages = this.#pages;
    const end = Math.min(pages.count, next.place + STEP_PAGES);
    for (let bytes = 0; next.place < end && bytes < STEP_BYTES; ) {
      next.place++;
      const number = pages.numberAt(next.place);
      const page = this.#free.has(number) ? undefined : pages.page(number);
      if (page !== undefined) bytes += this.#readPage(page, number, found);
    }
    if (next.place >= pages.count) next.stage = "done";
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

const LINE_START = '{"id":';

/** Readings that stand on a page as plain text, whatever surrounds them. */
function looseLines(page: Buffer): Buffer {
  const lines: Buffer[] = [];
  for (
    let at = page.indexOf(LINE_START);
    at !== -1 && at < PAGE_BYTES;
    at = page.indexOf(LINE_START, at + 1)
  ) {
    const end = page.indexOf(0x0a, at);
    if (end === -1) break;
    lines.push(readableLines(page.subarray(at, end + 1)));
  }
  return Buffer.concat(lines);
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
