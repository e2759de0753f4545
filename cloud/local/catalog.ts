/**
 * The Data Catalog's place, and what the lake knows of its raw objects: one SQLite file beside the table.
 *
 *   objects   those that are in the table
 *   told      what they hold besides readings, as rows of the tables `deliveries`, `gateways`, `rejects`
 *   runs      which seqs arrived, joined; reasons: how many lines were rejected, by reason
 *   shelves   the files that are the table, a day each and one for dates that are absurd
 *
 * Objects come in and shelves are replaced in one transaction: a reader sees all of it or nothing. It is made from the raw
 * objects and can be made again; what another conversion (conversionId) has made is forgotten.
 */

import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { z } from "zod";
import { Fault } from "../../agent/errors.ts";

export const CATALOG_FILE = "catalog.db";
/** The shelf of readings whose date no clock that is nearly right can have made (check.sql). */
export const OTHER_SHELF = "other";
/** The tables that are told of in rows. */
export const TOLD = ["deliveries", "gateways", "rejects"] as const;
export type Told = (typeof TOLD)[number];

/** What one raw object holds. */
export interface ObjectEntry {
  object: string;
  /** True where the engine can't read it as it is (tidy.ts). */
  damaged: boolean;
  /** Lines that are readings. */
  readings: number;
  /** Lines that are neither readings nor status lines, by reason. */
  rejects: Map<string, number>;
  /** Rows of the tables, as JSON. */
  told: { table: Told; row: string }[];
}

/** One file of the table. */
export interface Shelf {
  /** A day, or `other`. */
  shelf: string;
  /** Relative to the lake's folder. */
  file: string;
  rows: number;
}

/** What arrived of an epoch. */
export interface Arrivals {
  gateway: string;
  epoch: string;
  /** The largest seq, and how many different ones there are. */
  maxSeq: number;
  distinct: number;
  /** The first few ranges that did not arrive. */
  gaps: [first: number, last: number][];
}

/** Gaps of an epoch told at most. */
const GAPS_TOLD = 20;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS conversion (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS objects (object TEXT PRIMARY KEY, damaged INTEGER NOT NULL, readings INTEGER NOT NULL,
  loaded TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (name TEXT NOT NULL, object TEXT NOT NULL, row TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS told_name ON told (name);
CREATE TABLE IF NOT EXISTS runs (gateway TEXT, epoch TEXT, first INTEGER, last INTEGER,
  PRIMARY KEY (gateway, epoch, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reasons (reason TEXT PRIMARY KEY, lines INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS shelves (shelf TEXT PRIMARY KEY, file TEXT NOT NULL, rows INTEGER NOT NULL);
`;
const TABLES = ["conversion", "objects", "told", "runs", "reasons", "shelves"];

const Count = z.number().int();
const ShelfRow = z.object({ shelf: z.string(), file: z.string(), rows: Count });
const Name = z.object({ name: z.string() });
const ToldRow = z.object({ row: z.string() });
const Span = z.object({ first: Count, last: Count });
const Run = Span.extend({ gateway: z.string(), epoch: z.string() });
const Arrived = z.object({ gateway: z.string(), epoch: z.string(), maxSeq: Count, distinct: Count });
const Reason = z.object({ reason: z.string(), lines: Count });
const Sums = z.object({ objects: Count, readings: Count, rows: Count });

export class Catalog {
  readonly #db: Database.Database;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /** The catalog to be written; one that is damaged, or lacks a file, is begun anew. @param root the lake's folder */
  static open(root: string, conversion: string): Catalog {
    mkdirSync(root, { recursive: true });
    const path = join(root, CATALOG_FILE);
    try {
      return Catalog.#begin(root, path, conversion);
    } catch {
      for (const file of [path, `${path}-journal`]) rmSync(file, { force: true });
      return Catalog.#begin(root, path, conversion);
    }
  }

  static #begin(root: string, path: string, conversion: string): Catalog {
    const db = new Database(path);
    try {
      db.pragma("synchronous = NORMAL");
      db.exec(SCHEMA);
      const catalog = new Catalog(db);
      const known = db.prepare("SELECT 1 FROM conversion WHERE id = ?").get(conversion);
      if (known === undefined || catalog.shelves().some(({ file }) => !existsSync(join(root, file)))) {
        db.exec(TABLES.map((table) => `DELETE FROM ${table};`).join(""));
        db.prepare("INSERT INTO conversion VALUES (?)").run(conversion);
      }
      return catalog;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** The catalog to be looked at, or undefined where there is none. */
  static read(root: string): Catalog | undefined {
    const path = join(root, CATALOG_FILE);
    if (!existsSync(path)) return undefined;
    try {
      const db = new Database(path, { readonly: true });
      db.prepare("SELECT 1 FROM shelves").get();
      return new Catalog(db);
    } catch (error) {
      throw new Fault("lake.catalog", `${path} is not a catalog of the lake`, {
        hint: "delete it: the local cloud makes it again from the raw objects when it starts",
        cause: error,
      });
    }
  }

  close(): void {
    this.#db.close();
  }

  /** Of some raw objects, those that were not read yet. */
  unread(objects: readonly string[]): string[] {
    const sql = "SELECT value AS name FROM json_each(?) WHERE value NOT IN (SELECT object FROM objects)";
    return this.#rows(Name, sql, JSON.stringify(objects)).map(({ name }) => name);
  }

  /** Adds objects with all they hold, in the table by `made`; the files that are no more the table's. */
  add(entries: readonly ObjectEntry[], made: readonly Shelf[]): string[] {
    const object = this.#db.prepare("INSERT INTO objects VALUES (?, ?, ?, ?)");
    const told = this.#db.prepare("INSERT INTO told VALUES (?, ?, ?)");
    const reason = this.#db.prepare(
      "INSERT INTO reasons VALUES (?, ?) ON CONFLICT DO UPDATE SET lines = lines + excluded.lines",
    );
    const shelf = this.#db.prepare("REPLACE INTO shelves VALUES (@shelf, @file, @rows)");
    const gone = this.#db.prepare("DELETE FROM shelves WHERE shelf = ? RETURNING file AS name");
    const loaded = new Date().toISOString();
    return this.#db.transaction(() => {
      for (const entry of entries) {
        object.run(entry.object, Number(entry.damaged), entry.readings, loaded);
        for (const [name, lines] of entry.rejects) reason.run(name, lines);
        for (const { table, row } of entry.told) {
          told.run(table, entry.object, row);
          if (table === "deliveries") this.#arrived(row);
        }
      }
      const replaced = made.flatMap((one) => gone.all(one.shelf).map((row) => Name.parse(row).name));
      for (const one of made) if (one.rows > 0) shelf.run(one);
      return replaced;
    })();
  }

  /** The raw objects that the engine can't read as they are. */
  damaged(): Set<string> {
    return new Set(
      this.#rows(Name, "SELECT object AS name FROM objects WHERE damaged").map(({ name }) => name),
    );
  }

  shelves(): Shelf[] {
    return this.#rows(ShelfRow, "SELECT shelf, file, rows FROM shelves ORDER BY shelf");
  }

  /** The rows of a table, as JSON, oldest first. */
  told(table: Told): string[] {
    const sql = `SELECT CASE name WHEN 'deliveries'
        THEN json_set(row, '$.conversion', (SELECT id FROM conversion), '$.loaded', loaded) ELSE row END AS row
      FROM told JOIN objects USING (object) WHERE name = ? ORDER BY told.rowid`;
    return this.#rows(ToldRow, sql, table).map(({ row }) => row);
  }

  /** Raw objects, the readings in them with duplicates, and the table's rows. */
  sums(): z.infer<typeof Sums> {
    const sql = `SELECT (SELECT count(*) FROM objects) AS objects,
      (SELECT coalesce(sum(readings), 0) FROM objects) AS readings,
      (SELECT coalesce(sum(rows), 0) FROM shelves) AS rows`;
    return Sums.parse(this.#db.prepare(sql).get());
  }

  /** Joins a run of seq with those it touches: an epoch is one run, or as many as there are gaps. */
  #arrived(delivery: string): void {
    const touching = "gateway = @gateway AND epoch = @epoch AND first <= @last + 1 AND last >= @first - 1";
    const run = Run.parse(JSON.parse(delivery));
    const sql = `SELECT min(@first, coalesce(min(first), @first)) AS first, max(@last, coalesce(max(last), @last)) AS last
      FROM runs WHERE ${touching}`;
    const { first, last } = Span.parse(this.#db.prepare(sql).get(run));
    this.#db.prepare(`DELETE FROM runs WHERE ${touching}`).run(run);
    this.#db
      .prepare("INSERT INTO runs VALUES (@gateway, @epoch, @first, @last)")
      .run({ ...run, first, last });
  }

  /** What arrived of each gateway's epochs. */
  arrivals(): Arrivals[] {
    const gaps = `SELECT gateway, epoch, lag(last, 1, 0) OVER (PARTITION BY gateway, epoch ORDER BY first) + 1 AS first,
      first - 1 AS last FROM runs`;
    const found = this.#rows(
      Run,
      `SELECT * FROM (${gaps}) WHERE first <= last ORDER BY gateway, epoch, first`,
    );
    const sql = `SELECT gateway, epoch, max(last) AS maxSeq, sum(last - first + 1) AS "distinct" FROM runs
      GROUP BY gateway, epoch ORDER BY gateway, epoch`;
    return this.#rows(Arrived, sql).map((epoch) => {
      const own = found.filter((gap) => gap.gateway === epoch.gateway && gap.epoch === epoch.epoch);
      return { ...epoch, gaps: own.slice(0, GAPS_TOLD).map(({ first, last }) => [first, last]) };
    });
  }

  /** Lines that are neither readings nor status lines, by reason. */
  rejects(): Record<string, number> {
    const found = this.#rows(Reason, "SELECT reason, lines FROM reasons ORDER BY reason");
    return Object.fromEntries(found.map(({ reason, lines }) => [reason, lines]));
  }

  #rows<T>(row: z.ZodType<T>, sql: string, ...values: string[]): T[] {
    return this.#db
      .prepare(sql)
      .all(...values)
      .map((found) => row.parse(found));
  }
}

/** The Parquet files that are the table, with their paths; undefined where there is no lake. @param root the lake's folder */
export function tableFiles(root: string): string[] | undefined {
  const catalog = Catalog.read(root);
  const shelves = catalog?.shelves();
  catalog?.close();
  return shelves?.map(({ file }) => join(root, file));
}
