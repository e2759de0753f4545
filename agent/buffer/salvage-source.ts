/**
 * What can still be read of a file that was set aside, step by step: first as SQLite reads it, from the oldest group up and
 * from the newest down to where it stumbles, and the rejects; then, where it stumbled, page by page with our own eyes.
 */

import type { Database } from "better-sqlite3";
import { openReadOnly, PAGE_BYTES } from "./connection.ts";
import { readableLines } from "./lines.ts";
import { PageSource } from "./pages.ts";
import { isTableLeaf, readLeaf } from "./records.ts";
import type { GroupRow, RejectRow } from "./store.ts";
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

export interface Found {
  groups: GroupRow[];
  rejects: RejectRow[];
  partial: boolean;
  /** Lines found on a page whose rows can't be read. */
  loose: Buffer[];
  /** Where the reading stands after this. */
  next: Pick<Progress, "stage" | "low" | "lowReject" | "place" | "stumbled">;
}

/** Rows and pages read in one step, at most. */
const STEP_ROWS = 64;
const STEP_BYTES = 512 * 1024;
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
    const { stage, low, lowReject, place, stumbled } = at;
    const next = { stage, low, lowReject, place, stumbled };
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
      this.#db ??= openReadOnly(this.#path);
      if (next.stage === "up") this.#walkUp(this.#db, found);
      else if (next.stage === "down") this.#walkDown(this.#db, found);
      else this.#walkRejects(this.#db, found);
    } catch {
      // SQLite gives up here; what it gave before stays.
      next.stumbled = 1;
      this.#nextStage(found, next.stage === "up" ? "down" : next.stage === "down" ? "rejects" : "pages");
    }
  }

  #walkUp(db: Database, found: Found): void {
    const rows = db.prepare<[number], GroupRow>(
      `SELECT ${GROUP} FROM groups WHERE key > ? ORDER BY key LIMIT 1`,
    );
    for (let bytes = 0; found.groups.length < STEP_ROWS && bytes < STEP_BYTES; ) {
      const row = rows.get(found.next.low);
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
      const row = rows.get(found.next.place, found.next.low);
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
      const row = rows.get(found.next.lowReject);
      if (row === undefined) {
        this.#nextStage(found, "pages");
        return;
      }
      const { number, ...reject } = row;
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
    const end = Math.min(pages.pageCount, next.place + STEP_PAGES);
    for (let bytes = 0; next.place < end && bytes < STEP_BYTES; ) {
      next.place++;
      const page = this.#free.has(next.place) ? undefined : pages.page(next.place);
      if (page !== undefined) bytes += this.#readPage(page, found);
    }
    if (next.place >= pages.pageCount) next.stage = "done";
  }

  /** Adds what the page holds; bytes found. */
  #readPage(page: Buffer, found: Found): number {
    const { next } = found;
    let broken = 1;
    let bytes = 0;
    if (isTableLeaf(page, next.place)) {
      const leaf = readLeaf(page, next.place, (number) => this.#pages?.page(number));
      broken = leaf.broken;
      for (const row of leaf.rows) {
        if ("group" in row && row.group.key > next.low) found.groups.push(row.group);
        if ("reject" in row && row.number > next.lowReject) found.rejects.push(row.reject);
        bytes += "group" in row ? row.group.body.length : row.reject.payload.length;
      }
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
