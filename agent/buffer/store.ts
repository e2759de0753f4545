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

/** A group without its body, which costs no more than a page to read. */
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

  /** Sets the quota; a file that is larger already grows no more, and takes what there is room for within the quota. */
  limit(maxBytes: number): void {
    this.#maxPages = Math.max(LEAST_PAGES, Math.floor(maxBytes / PAGE_BYTES));
    this.db.pragma(`max_page_count = ${this.#maxPages}`);
  }

  begin(): void {
    this.#sql.begin.run();
  }

  /** Until `rollback`, what is read is of one moment, and SQLite doesn't lock the file for each row anew. */
  beginReading(): void {
    this.#sql.beginReading.run();
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
    const state = db.prepare<[], State>(READ_STATE).get();
    if (state === undefined) return undefined;
    const { readings, end } = db
      .prepare<[number], { readings: number | null; end: number | null }>(READ_NEWER)
      .get(state.lastKey) ?? { readings: null, end: null };
    if (readings === null || end === null) return state;
    if (end - state.lastKey !== readings)
      throw new Fault("buffer.damaged", "its newest groups don't follow its accounts");
    const { received, buffered } = state;
    return { ...state, lastKey: end, received: received + readings, buffered: buffered + readings };
  }

  writeState(state: State): void {
    this.#sql.writeState.run(state);
  }

  insertGroup({ key, count, received, body }: GroupRow): void {
    this.#sql.insertGroup.run(key, count, received, body);
  }

  /** True where the group was there. */
  deleteGroup(key: number): boolean {
    return this.#sql.deleteGroup.run(key).changes === 1;
  }

  /** The groups whose keys are above `after` and below `before`, from that end on; nothing else is to be asked meanwhile. */
  *rows(after: number, before: number, from: "oldest" | "newest"): Generator<GroupRow> {
    let [low, high] = [after, before];
    for (const row of this.#sql[from].iterate(after, before)) {
      yield inOrder(row, low, high);
      if (from === "oldest") low = row.key;
      else high = row.key;
    }
  }

  group(key: number): GroupRow | undefined {
    return inOrder(this.#sql.group.get(key), key - 1, key + 1);
  }

  /** The first group whose key is above `after` and below `before`. */
  front(after: number, before = Number.MAX_SAFE_INTEGER): Front | undefined {
    return inOrder(this.#sql.front.get(after, before), after, before);
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

  /** Pages of the file that are free to be used again. */
  freePages(): number {
    return Number(this.#sql.freePages.get());
  }

  /** Pages that inserts may still use before the quota; below zero where the spare ones are in use. */
  roomPages(): number {
    const usedPages = Number(this.#sql.pageCount.get()) - this.freePages();
    return this.#maxPages - SPARE_PAGES - usedPages;
  }

  /** What `roomPages` could be at most, were no group there. */
  mostRoomPages(rejectsBytes: number): number {
    return this.#maxPages - SPARE_PAGES - BARE_PAGES - Math.floor(rejectsBytes / PAGE_BYTES);
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

  close(): void {
    this.db.close();
  }
}

/** A damaged page can make SQLite answer with a row that was not asked for, the same one for ever. */
export function inOrder<Row extends { key: number } | undefined>(
  row: Row,
  after: number,
  before: number,
): Row {
  if (row === undefined || (row.key > after && row.key < before)) return row;
  throw new Fault("buffer.damaged", "its groups are out of order");
}

const STATE_COLUMNS = [
  ...["epoch", "born", "epoch_base", "last_key", "salvaged_key", "commits", "closed"],
  ...["received", "buffered", "shipped", "rejected", "dropped", "rejects_kept", "rejects_bytes"],
];
const fieldOf = (column: string): string => column.replace(/_./, ([, letter = ""]) => letter.toUpperCase());
const READ_STATE = `SELECT ${STATE_COLUMNS.map((each) => `${each} AS ${fieldOf(each)}`)} FROM state WHERE id = 1`;
const WRITE_STATE = `UPDATE state SET ${STATE_COLUMNS.map((each) => `${each} = @${fieldOf(each)}`)} WHERE id = 1`;
const READ_NEWER = "SELECT sum(count) AS readings, max(key + count) - 1 AS end FROM groups WHERE key > ?";

function prepare(db: Database) {
  const bare = (sql: string): Statement<[]> => db.prepare<[]>(sql);
  const between = <Row>(columns: string, order: string): Statement<[number, number], Row> =>
    db.prepare(`SELECT ${columns} FROM groups WHERE key > ? AND key < ? ORDER BY key ${order}`);
  return {
    begin: bare("BEGIN IMMEDIATE"),
    beginReading: bare("BEGIN"),
    commit: bare("COMMIT"),
    rollback: bare("ROLLBACK"),
    writeState: db.prepare<[State]>(WRITE_STATE),
    insertGroup: db.prepare<[number, number, number, Buffer]>("INSERT INTO groups VALUES (?, ?, ?, ?)"),
    deleteGroup: db.prepare<[number]>("DELETE FROM groups WHERE key = ?"),
    oldest: between<GroupRow>("*", "ASC"),
    newest: between<GroupRow>("*", "DESC"),
    front: between<Front>("key, count, received", "ASC LIMIT 1"),
    group: db.prepare<[number], GroupRow>("SELECT * FROM groups WHERE key = ?"),
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
