/**
 * The Data Catalog's place, and what the lake knows of its raw objects: one SQLite file beside the table.
 *
 *   objects   those that were read, and whether a tidy copy is read in their place
 *   parts     which event days an object holds; days: the sums of it
 *   told      what the objects hold besides readings, as rows of the tables `deliveries`, `gateways`, `rejects`; reasons: the sums
 *   shelves   the files that are the table, a day each and one for dates that are absurd, and what each was made from
 *
 * A shelf is replaced in one transaction: a reader sees the old file or the new one. All of it is made from the raw objects and
 * can be made again; what another conversion (conversionId) has read is forgotten.
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
  tidied: boolean;
  parts: { dt: string; shelf: string; readings: number }[];
  /** Lines that are neither readings nor status lines, by reason. */
  rejects: Map<string, number>;
  /** Rows of the tables, as JSON. */
  told: { table: Told; row: string }[];
}

/** What a shelf is to be made from; readings with duplicates. */
export interface ShelfSources {
  shelf: string;
  objects: number;
  readings: number;
}

export interface Shelf extends ShelfSources {
  /** Relative to the lake's folder; null where it has no rows. */
  file: string | null;
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
CREATE TABLE IF NOT EXISTS objects (object TEXT PRIMARY KEY, tidied INTEGER NOT NULL, loaded TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (dt TEXT, object TEXT, PRIMARY KEY (dt, object)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS days (dt TEXT PRIMARY KEY, own INTEGER NOT NULL, objects INTEGER NOT NULL, readings INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS told (name TEXT NOT NULL, object TEXT NOT NULL, row TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reasons (reason TEXT PRIMARY KEY, lines INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS runs (gateway TEXT, epoch TEXT, first INTEGER, last INTEGER, PRIMARY KEY (gateway, epoch, first)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS told_name ON told (name);
CREATE TABLE IF NOT EXISTS shelves (shelf TEXT PRIMARY KEY, file TEXT, rows INTEGER NOT NULL, objects INTEGER NOT NULL,
  readings INTEGER NOT NULL, conversion TEXT NOT NULL);
`;
/** The shelf of a day: its own once any of its readings has a sensible date. */
const SHELF_OF = `CASE WHEN own THEN dt ELSE '${OTHER_SHELF}' END`;
const STALE = `
WITH wanted AS (SELECT ${SHELF_OF} AS shelf, sum(objects) AS objects, sum(readings) AS readings FROM days GROUP BY 1)
SELECT wanted.* FROM wanted LEFT JOIN shelves made USING (shelf)
WHERE made.objects IS NOT wanted.objects OR made.readings IS NOT wanted.readings OR made.conversion IS NOT ?
UNION ALL
SELECT shelf, 0, 0 FROM shelves WHERE shelf NOT IN (SELECT shelf FROM wanted) AND EXISTS (SELECT 1 FROM objects)
ORDER BY shelf DESC`;

const Count = z.number().int();
const Sources = z.object({ shelf: z.string(), objects: Count, readings: Count });
const ShelfRow = Sources.extend({ file: z.string().nullable(), rows: Count });
const ObjectRow = z.object({ object: z.string(), tidied: Count.transform(Boolean) });
const Name = z.object({ name: z.string() });
const ToldRow = z.object({ row: z.string() });
const Span = z.object({ first: Count, last: Count });
const Run = Span.extend({ gateway: z.string(), epoch: z.string() });
const Arrived = z.object({ gateway: z.string(), epoch: z.string(), maxSeq: Count, distinct: Count });
const Reason = z.object({ reason: z.string(), lines: Count });
const Sums = z.object({ objects: Count, readings: Count, rows: Count, made: Count });

export class Catalog {
  readonly #db: Database.Database;
  readonly #conversion: string;

  private constructor(db: Database.Database, conversion: string) {
    this.#db = db;
    this.#conversion = conversion;
  }

  /** The catalog to be written. One that is damaged is deleted and begun anew. @param root the lake's folder */
  static open(root: string, conversion: string): Catalog {
    mkdirSync(root, { recursive: true });
    const path = join(root, CATALOG_FILE);
    try {
      return Catalog.#begin(path, conversion);
    } catch {
      for (const file of [path, `${path}-journal`]) rmSync(file, { force: true });
      return Catalog.#begin(path, conversion);
    }
  }

  static #begin(path: string, conversion: string): Catalog {
    const db = new Database(path);
    try {
      db.pragma("synchronous = NORMAL");
      db.exec(SCHEMA);
      const known = db.prepare("SELECT 1 FROM conversion WHERE id = ?").get(conversion);
      if (known === undefined) {
        db.transaction(() => {
          for (const table of ["conversion", "objects", "parts", "days", "told", "reasons", "runs"])
            db.exec(`DELETE FROM ${table}`);
          db.prepare("INSERT INTO conversion VALUES (?)").run(conversion);
        })();
      }
      return new Catalog(db, conversion);
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
      return new Catalog(db, "");
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

  /** Adds what newly read objects hold. */
  add(entries: readonly ObjectEntry[]): void {
    const object = this.#db.prepare("INSERT INTO objects VALUES (?, ?, ?)");
    const part = this.#db.prepare("INSERT OR IGNORE INTO parts VALUES (?, ?)");
    const day = this.#db.prepare(
      `INSERT INTO days VALUES (@dt, @own, 1, @readings) ON CONFLICT DO UPDATE
       SET own = max(own, excluded.own), objects = objects + 1, readings = readings + excluded.readings`,
    );
    const told = this.#db.prepare("INSERT INTO told VALUES (?, ?, ?)");
    const reason = this.#db.prepare(
      "INSERT INTO reasons VALUES (?, ?) ON CONFLICT DO UPDATE SET lines = lines + excluded.lines",
    );
    const loaded = new Date().toISOString();
    this.#db.transaction(() => {
      for (const entry of entries) {
        object.run(entry.object, Number(entry.tidied), loaded);
        for (const { dt, shelf, readings } of entry.parts) {
          part.run(dt, entry.object);
          day.run({ dt, own: Number(shelf !== OTHER_SHELF), readings });
        }
        for (const [name, lines] of entry.rejects) reason.run(name, lines);
        for (const { table, row } of entry.told) {
          told.run(table, entry.object, row);
          if (table === "deliveries") this.#arrived(row);
        }
      }
    })();
  }

  /** The shelves whose objects or conversion differ from those they were made from, the newest day first. */
  stale(): ShelfSources[] {
    return this.#rows(Sources, STALE, this.#conversion);
  }

  /** The objects that hold readings of `shelves`, and whether each is read from its tidy copy. */
  objectsOf(shelves: readonly string[]): { object: string; tidied: boolean }[] {
    const sql = `SELECT DISTINCT object, tidied FROM days JOIN parts USING (dt) JOIN objects USING (object)
      WHERE ${SHELF_OF} IN (SELECT value FROM json_each(?)) ORDER BY object`;
    return this.#rows(ObjectRow, sql, JSON.stringify(shelves));
  }

  /** The days that have a shelf of their own. */
  ownDays(): string[] {
    return this.#rows(Name, "SELECT dt AS name FROM days WHERE own").map(({ name }) => name);
  }

  /** The raw objects that are read from a tidy copy. */
  tidied(): Set<string> {
    return new Set(
      this.#rows(Name, "SELECT object AS name FROM objects WHERE tidied").map(({ name }) => name),
    );
  }

  /** The table's shelves. */
  shelves(): Shelf[] {
    return this.#rows(ShelfRow, "SELECT shelf, file, rows, objects, readings FROM shelves ORDER BY shelf");
  }

  /** Puts newly made shelves in the place of those before; the files that are no more the table's. */
  replace(made: readonly Shelf[]): string[] {
    const before = this.#db.prepare("SELECT file AS name FROM shelves WHERE shelf = ? AND file IS NOT NULL");
    const put = this.#db.prepare(
      "REPLACE INTO shelves VALUES (@shelf, @file, @rows, @objects, @readings, @conversion)",
    );
    const replaced: string[] = [];
    this.#db.transaction(() => {
      for (const shelf of made) {
        const old = before.get(shelf.shelf);
        if (old !== undefined) replaced.push(Name.parse(old).name);
        put.run({ ...shelf, conversion: this.#conversion });
      }
    })();
    return replaced;
  }

  /** Forgets shelves, so that they are made again. */
  forget(shelves: readonly string[]): void {
    this.#db
      .prepare("DELETE FROM shelves WHERE shelf IN (SELECT value FROM json_each(?))")
      .run(JSON.stringify(shelves));
  }

  /** The rows of a table, as JSON, oldest first. */
  told(table: Told): string[] {
    const sql = `SELECT CASE name WHEN 'deliveries'
        THEN json_set(row, '$.conversion', (SELECT id FROM conversion), '$.loaded', loaded) ELSE row END AS row
      FROM told JOIN objects USING (object) WHERE name = ? ORDER BY told.rowid`;
    return this.#rows(ToldRow, sql, table).map(({ row }) => row);
  }

  /** Raw objects and the readings in them, duplicates among them; the table's rows and the readings it was made from. */
  sums(): z.infer<typeof Sums> {
    const sql = `SELECT (SELECT count(*) FROM objects) AS objects, (SELECT coalesce(sum(readings), 0) FROM days) AS readings,
      (SELECT coalesce(sum(rows), 0) FROM shelves) AS rows, (SELECT coalesce(sum(readings), 0) FROM shelves) AS made`;
    return this.#rows(Sums, sql)[0] ?? { objects: 0, readings: 0, rows: 0, made: 0 };
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
  return shelves?.flatMap(({ file }) => (file === null ? [] : [join(root, file)]));
}
