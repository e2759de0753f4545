/**
 * Glue's place: makes the shelves of the curated table from the raw objects that hold them.
 *
 * A shelf is always made whole, from exactly the objects the catalog names, into a file of its own; the catalog then points at
 * it. So running it again, late data and duplicates change nothing but what they should.
 */

import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { curatedColumns, dayColumn } from "../layout.ts";
import { type Catalog, OTHER_SHELF, type Shelf, type ShelfSources } from "./catalog.ts";
import { type Duck, quoted } from "./duck.ts";
import { syncFile } from "./durable-files.ts";
import { namesIn } from "./raw-store.ts";
import { type RawSource, viewRaw } from "./raw-view.ts";

export interface CuratorSettings {
  /** The raw objects' folder. */
  rawRoot: string;
  /** The lake's folder. */
  lakeRoot: string;
  /** How long a replaced file stays for those who read it, ms. */
  graceMs: number;
  sourceOf(object: { object: string; tidied: boolean }): RawSource;
}

/** Where the table's files lie, below the lake's folder. */
export const TABLE_FOLDER = "curated";
/** Raw readings made into shelves at once; a shelf with more is made alone. */
const READINGS_AT_ONCE = 2_000_000;
const COLUMNS = [...curatedColumns(), dayColumn()];
const Rows = z.object({ shelf: z.string(), n: z.coerce.number() });

export class Curator {
  readonly #settings: CuratorSettings;
  readonly #duck: Duck;
  readonly #catalog: Catalog;
  #made = 0;
  /** Files to delete, oldest first. */
  #replaced: { file: string; atMs: number }[] = [];

  constructor(settings: CuratorSettings, duck: Duck, catalog: Catalog) {
    this.#settings = settings;
    this.#duck = duck;
    this.#catalog = catalog;
  }

  /** Finds what an earlier run left: shelves whose files are gone, and files that are no shelf's. */
  async start(): Promise<void> {
    const { lakeRoot } = this.#settings;
    const shelves = this.#catalog.shelves();
    const lost = shelves.filter(({ file }) => file !== null && !existsSync(join(lakeRoot, file)));
    this.#catalog.forget(lost.map(({ shelf }) => shelf));
    const known = new Set(shelves.map(({ file }) => file));
    for (const shelf of await namesIn(join(lakeRoot, TABLE_FOLDER))) {
      for (const name of await namesIn(join(lakeRoot, TABLE_FOLDER, shelf))) {
        const file = `${TABLE_FOLDER}/${shelf}/${name}`;
        if (!known.has(file)) this.#replaced.push({ file, atMs: Date.now() });
      }
    }
  }

  /** Makes every stale shelf anew. */
  async curate(): Promise<void> {
    for (let rest = this.#catalog.stale(); rest.length > 0; ) {
      const some = this.#fitting(rest);
      await this.#make(some);
      rest = rest.slice(some.length);
    }
    await this.#deleteReplaced();
  }

  /** The first of `shelves`, and as many more as fit at once. */
  #fitting(shelves: readonly ShelfSources[]): ShelfSources[] {
    let room = READINGS_AT_ONCE;
    const beyond = shelves.findIndex(({ readings }, at) => {
      room -= readings;
      return room < 0 && at > 0;
    });
    return shelves.slice(0, beyond < 0 ? shelves.length : beyond);
  }

  async #make(shelves: readonly ShelfSources[]): Promise<void> {
    const { rawRoot, sourceOf } = this.#settings;
    const names = shelves.map(({ shelf }) => shelf);
    const sources = this.#catalog.objectsOf(names).map(sourceOf);
    await viewRaw(this.#duck, { root: rawRoot, sources });
    const typed = COLUMNS.map(({ name, duckdb }) => `CAST(${name} AS ${duckdb}) AS ${name}`).join(", ");
    // A day is one shelf here, whatever some of its deliveries' hours say. The order makes neighbours alike, which Parquet
    // packs well, and the files the same each time.
    await this.#duck.run(
      `CREATE OR REPLACE TEMP TABLE made AS
       SELECT ${typed}, CASE WHEN dt IN (${listOf(this.#catalog.ownDays())}) THEN dt ELSE '${OTHER_SHELF}' END AS place
       FROM curated_readings WHERE place IN (${listOf(names)}) ORDER BY place, turbine, type, date, id, data, seq`,
    );
    const counts = await this.#duck.rows(
      "SELECT place AS shelf, count(*) AS n FROM made GROUP BY place",
      Rows,
    );
    const rows = new Map(counts.map(({ shelf, n }) => [shelf, n]));
    const made: Shelf[] = [];
    for (const shelf of shelves) {
      const n = rows.get(shelf.shelf) ?? 0;
      made.push({ ...shelf, rows: n, file: n === 0 ? null : await this.#write(shelf.shelf) });
    }
    await this.#duck.run("DROP TABLE made");
    const replaced = this.#catalog.replace(made);
    this.#replaced.push(...replaced.map((file) => ({ file, atMs: Date.now() })));
  }

  async #write(shelf: string): Promise<string> {
    // Sorts by time, differs within a millisecond.
    const version = `${new Date().toISOString().replace(/[-:.]/g, "")}-${++this.#made}`;
    const file = `${TABLE_FOLDER}/${shelf}/${version}.parquet`;
    const path = join(this.#settings.lakeRoot, file);
    await mkdir(dirname(path), { recursive: true });
    await this.#duck.run(
      `COPY (SELECT * EXCLUDE (place) FROM made WHERE place = ${quoted(shelf)}) TO ${quoted(path)} ` +
        "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)",
    );
    await syncFile(path);
    return file;
  }

  async #deleteReplaced(): Promise<void> {
    const due = this.#replaced.filter(({ atMs }) => Date.now() - atMs >= this.#settings.graceMs);
    this.#replaced = this.#replaced.filter((file) => !due.includes(file));
    for (const { file } of due) await rm(join(this.#settings.lakeRoot, file), { force: true });
  }
}

/** The texts as an SQL list; one that no text is in where there are none. */
function listOf(texts: readonly string[]): string {
  return texts.length === 0 ? "NULL" : texts.map(quoted).join(", ");
}
