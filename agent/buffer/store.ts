/** The statements the buffer lives on, over one connection. Knows rows and pages, not what they are for. */

import type { Database, Statement } from "better-sqlite3";
import { Fault } from "../errors.ts";
import { PAGE_BYTES } from "./connection.ts";
import type { State } from "./state.ts";

/** Pages of the quota that inserts leave free, so that deletes and accounts always fit. */
const SPARE_PAGES = (256 * 1024) / PAGE_BYTES;
/** The smallest quota: room for the largest batch there can be beside a full reject lane. */
const LEAST_PAGES = 4 * SPARE_PAGES;
/** Pages that the empty tables take, at most. */
const BARE_PAGES = 16;

export interface GroupRow {
  key: number;
  /** Readings in it. */
  count: number;
  /** When its first reading was received, ms since 1970. */
  received: number;
  /** One gzip member. */
  body: Buffer;
}

export interface RejectRow {
  received: number;
  /** Readings in it. */
  count: number;
  bytes: number;
  reason: string;
  detail: string;
  topic: string;
  payload: Buffer;
  /** 1 if MQTT's DUP flag came with it. */
  dup: number;
}

export type Front = Omit<GroupRow, "body">;

export class Store {
  readonly db: Database;
  #maxPages = 0;
  readonly #sql: ReturnType<typeof prepare>;

  constructor(db: Database, maxBytes: number) {
    this.db = db;
    this.limit(maxBytes);
    this.#sql = prepare(db);
  }

  get maxPages(): number {
    return this.#maxPages;
  }

  /** Sets the quota; a file that is larger already takes nothing more until it has shrunk. */
  limit(maxBytes: number): void {
    this.#maxPages = Math.max(LEAST_PAGES, Math.floor(maxBytes / PAGE_BYTES));
    this.db.pragma(`max_page_count = ${this.#maxPages}`);
  }

  begin(): void {
    this.#sql.begin.run();
  }

  commit(): void {
    this.#sql.commit.run();
  }

  /** Takes everything since `begin` back; fine where SQLite has done so already. */
  rollback(): void {
    if (this.db.inTransaction) this.#sql.rollback.run();
  }

  /** The accounts, with the readings added whose rows were written after them. Throws `buffer.damaged` where they don't fit. */
  static readStateOf(db: Database): State | undefined {
    const state = db.prepare<[], State>(STATE).get();
    if (state === undefined) return undefined;
    const after = db
      .prepare<[number], { readings: number | null; end: number | null }>(AFTER)
      .get(state.lastKey);
    const { readings, end } = after ?? { readings: null, end: null };
    if (readings === null || end === null) return state;
    if (end - state.lastKey !== readings)
      throw new Fault("buffer.damaged", "its newest groups don't follow its accounts");
    return {
      ...state,
      lastKey: end,
      received: state.received + readings,
      buffered: state.buffered + readings,
    };
  }

  readState(): State | undefined {
    return Store.readStateOf(this.db);
  }

  writeState(state: State): void {
    this.#sql.writeState.run(state);
  }

  insertGroup(row: GroupRow): void {
    this.#sql.insertGroup.run(row.key, row.count, row.received, row.body);
  }

  /** True where the group was there. */
  deleteGroup(key: number): boolean {
    return this.#sql.deleteGroup.run(key).changes === 1;
  }

  group(key: number): GroupRow | undefined {
    return this.#sql.group.get(key);
  }

  front(key: number): Front | undefined {
    return this.#sql.front.get(key);
  }

  /** The first group whose key is above `key` and below `end`. */
  next(key: number, end: number): GroupRow | undefined {
    return inOrder(this.#sql.next.get(key, end), key, end);
  }

  /** The last group whose key is above `start` and below `key`. */
  last(start: number, key: number): GroupRow | undefined {
    return inOrder(this.#sql.last.get(start, key), start, key);
  }

  /** As `next`, without the body, which costs no more than a page. */
  nextFront(key: number, end: number): Front | undefined {
    return inOrder(this.#sql.nextFront.get(key, end), key, end);
  }

  insertReject(row: RejectRow): void {
    this.#sql.insertReject.run(row);
  }

  deleteReject(number: number): void {
    this.db.prepare("DELETE FROM rejects WHERE number = ?").run(number);
  }

  /** Removes the oldest reject; what it was charged, or undefined where there is none. */
  removeOldestReject(): number | undefined {
    return this.#sql.removeOldestReject.get()?.bytes;
  }

  /** Pages of the file that hold something. */
  usedPages(): number {
    return Number(this.#sql.pageCount.get()) - this.freePages();
  }

  /** Pages of the file that are free to be used again. */
  freePages(): number {
    return Number(this.#sql.freePages.get());
  }

  /** Pages that inserts may still use before the quota; below zero where the spare ones are in use. */
  roomPages(): number {
    return this.maxPages - SPARE_PAGES - this.usedPages();
  }

  /** What `roomPages` could be at most, were no group there. */
  mostRoomPages(rejectsBytes: number): number {
    return this.maxPages - SPARE_PAGES - BARE_PAGES - Math.floor(rejectsBytes / PAGE_BYTES);
  }

  /** Inside a transaction: what `work` does is taken back where it says false. */
  attempt(work: () => boolean): boolean {
    this.db.exec("SAVEPOINT attempt");
    const done = work();
    this.db.exec(done ? "RELEASE attempt" : "ROLLBACK TO attempt; RELEASE attempt");
    return done;
  }

  /** True where a row of `bytes` fits into the pages that inserts must leave free. */
  hasSpareFor(bytes: number): boolean {
    return this.roomPages() + SPARE_PAGES / 2 > Math.ceil(bytes / PAGE_BYTES);
  }

  /** Moves the log into the file; `truncate` also empties the log, and throws where that can't be made durable. */
  checkpoint(mode: "PASSIVE" | "TRUNCATE"): { busy: boolean; logPages: number; movedPages: number } {
    const row = this.db
      .prepare<[], { busy: number; log: number; checkpointed: number }>(`PRAGMA wal_checkpoint(${mode})`)
      .get();
    return { busy: row?.busy !== 0, logPages: row?.log ?? 0, movedPages: row?.checkpointed ?? 0 };
  }

  /** Gives up to `pages` free pages back to the file system. */
  shrink(pages: number): void {
    this.db.pragma(`incremental_vacuum(${pages})`);
  }

  close(): void {
    this.db.close();
  }
}

/** A damaged page can make SQLite answer with a row that was not asked for, the same one for ever. */
export function inOrder<Row extends { key: number }>(
  row: Row | undefined,
  after: number,
  before: number,
): Row | undefined {
  if (row === undefined || (row.key > after && row.key < before)) return row;
  throw new Fault("buffer.damaged", "its groups are out of order");
}

const STATE = `SELECT epoch, born, epoch_base AS epochBase, last_key AS lastKey, salvaged_key AS salvagedKey, commits,
  closed, received, buffered, shipped, rejected, dropped, rejects_kept AS rejectsKept, rejects_bytes AS rejectsBytes
  FROM state WHERE id = 1`;
const AFTER = "SELECT sum(count) AS readings, max(key + count) - 1 AS end FROM groups WHERE key > ?";
const FRONT = "key, count, received";
const GROUP = `${FRONT}, body`;

function prepare(db: Database) {
  const bare = (sql: string): Statement<[]> => db.prepare<[]>(sql);
  return {
    begin: bare("BEGIN IMMEDIATE"),
    commit: bare("COMMIT"),
    rollback: bare("ROLLBACK"),
    writeState: db.prepare<[State]>(
      `UPDATE state SET epoch = @epoch, born = @born, epoch_base = @epochBase, last_key = @lastKey,
         salvaged_key = @salvagedKey, commits = @commits, closed = @closed, received = @received, buffered = @buffered,
         shipped = @shipped, rejected = @rejected, dropped = @dropped, rejects_kept = @rejectsKept,
         rejects_bytes = @rejectsBytes WHERE id = 1`,
    ),
    insertGroup: db.prepare<[number, number, number, Buffer]>(
      `INSERT INTO groups (${GROUP}) VALUES (?, ?, ?, ?)`,
    ),
    deleteGroup: db.prepare<[number]>("DELETE FROM groups WHERE key = ?"),
    group: db.prepare<[number], GroupRow>(`SELECT ${GROUP} FROM groups WHERE key = ?`),
    front: db.prepare<[number], Front>(`SELECT ${FRONT} FROM groups WHERE key = ?`),
    next: db.prepare<[number, number], GroupRow>(
      `SELECT ${GROUP} FROM groups WHERE key > ? AND key < ? ORDER BY key LIMIT 1`,
    ),
    last: db.prepare<[number, number], GroupRow>(
      `SELECT ${GROUP} FROM groups WHERE key > ? AND key < ? ORDER BY key DESC LIMIT 1`,
    ),
    nextFront: db.prepare<[number, number], Front>(
      `SELECT ${FRONT} FROM groups WHERE key > ? AND key < ? ORDER BY key LIMIT 1`,
    ),
    insertReject: db.prepare<[RejectRow]>(
      `INSERT INTO rejects (received, count, bytes, reason, detail, topic, payload, dup)
       VALUES (@received, @count, @bytes, @reason, @detail, @topic, @payload, @dup)`,
    ),
    removeOldestReject: db.prepare<[], { bytes: number }>(
      "DELETE FROM rejects WHERE number = (SELECT min(number) FROM rejects) RETURNING bytes",
    ),
    pageCount: db.prepare<[], number>("PRAGMA page_count").pluck(),
    freePages: db.prepare<[], number>("PRAGMA freelist_count").pluck(),
  };
}
