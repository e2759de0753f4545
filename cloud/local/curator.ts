/**
 * Glue's place: brings what was read (`read_lines`) into the shelves of the curated table.
 *
 * A shelf it touches is made anew, of the rows it has and of those that came, by curate.sql, into a file of its own. Because of
 * equal deliveries the same one stays whatever the order, again and late data change nothing but what they should; and what is
 * in the table stays there when its raw object is gone.
 */

import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { conversionText } from "../sql/read.ts";
import { type Catalog, type ObjectEntry, OTHER_SHELF, type Shelf } from "./catalog.ts";
import { type Duck, quoted } from "./duck.ts";
import { syncFile } from "./durable-files.ts";
import { namesIn } from "./raw-store.ts";
import { TABLE_COLUMNS } from "./tables.ts";

/** Where the table's files lie, below the lake's folder. */
export const TABLE_FOLDER = "curated";
const COLUMNS = TABLE_COLUMNS.map(({ name }) => name).join(", ");
const Touched = z.object({ shelf: z.string(), dt: z.string() });
const Rows = z.object({ place: z.string(), n: z.coerce.number() });

export class Curator {
  readonly #root: string;
  readonly #graceMs: number;
  readonly #duck: Duck;
  readonly #catalog: Catalog;
  #made = 0;
  /** Files to delete, oldest first. */
  #replaced: { file: string; atMs: number }[] = [];

  /**
   * @param root the lake's folder
   * @param graceMs how long a replaced file stays for those who read it
   */
  constructor(root: string, graceMs: number, duck: Duck, catalog: Catalog) {
    this.#root = root;
    this.#graceMs = graceMs;
    this.#duck = duck;
    this.#catalog = catalog;
  }

  /** Finds files of an earlier run that are no shelf's. */
  async start(): Promise<void> {
    const known = new Set(this.#catalog.shelves().map(({ file }) => file));
    for (const shelf of await namesIn(join(this.#root, TABLE_FOLDER))) {
      const names = await namesIn(join(this.#root, TABLE_FOLDER, shelf));
      const files = names.map((name) => `${TABLE_FOLDER}/${shelf}/${name}`);
      this.#retire(files.filter((file) => !known.has(file)));
    }
  }

  /** Adds the objects whose lines are in `read_lines`. */
  async curate(entries: readonly ObjectEntry[]): Promise<void> {
    await this.#duck.run("SET preserve_insertion_order = true");
    const made = await this.#make(this.#catalog.shelves());
    this.#retire(this.#catalog.add(entries, made));
    const due = this.#replaced.filter(({ atMs }) => Date.now() - atMs >= this.#graceMs);
    this.#replaced = this.#replaced.filter((file) => !due.includes(file));
    for (const { file } of due) await rm(join(this.#root, file), { force: true });
  }

  #retire(files: readonly string[]): void {
    this.#replaced.push(...files.map((file) => ({ file, atMs: Date.now() })));
  }

  async #make(shelves: readonly Shelf[]): Promise<Shelf[]> {
    const read = "SELECT DISTINCT shelf, dt FROM read_lines WHERE reason IS NULL";
    const touched = await this.#duck.rows(read, Touched);
    // A day is one shelf here, whatever the hour says in which one of its deliveries arrived.
    const days = new Set([...shelves, ...touched].map(({ shelf }) => shelf));
    days.delete(OTHER_SHELF);
    const places = new Set(touched.map(({ dt }) => (days.has(dt) ? dt : OTHER_SHELF)));
    if (touched.some(({ shelf, dt }) => shelf === dt && !shelves.some((one) => one.shelf === dt))) {
      places.add(OTHER_SHELF);
    }
    await this.#collect(
      shelves.filter(({ shelf }) => places.has(shelf)),
      [...days],
    );
    const counts = await this.#duck.rows("SELECT place, count(*) AS n FROM made GROUP BY place", Rows);
    const rows = new Map(counts.map(({ place, n }) => [place, n]));
    const made: Shelf[] = [];
    for (const shelf of places) made.push(await this.#write(shelf, rows.get(shelf) ?? 0));
    await this.#duck.run("DROP TABLE made");
    return made;
  }

  /** Curates old rows and new lines into the table `made`, with the shelf of each. */
  async #collect(old: readonly Shelf[], days: readonly string[]): Promise<void> {
    const files = old.map(({ file }) => quoted(join(this.#root, file)));
    const rows = `SELECT ${COLUMNS}, '' AS shelf, NULL AS reason FROM read_parquet([${files}], hive_partitioning = false)`;
    const lines = `SELECT ${COLUMNS}, shelf, reason FROM read_lines`;
    const all = files.length > 0 ? `${rows} UNION ALL ${lines}` : lines;
    await this.#duck.run(`CREATE OR REPLACE TEMP VIEW checked_readings AS ${all}`);
    const typed = TABLE_COLUMNS.map(({ name, duckdb }) => `CAST(${name} AS ${duckdb}) AS ${name}`).join(", ");
    await this.#duck.run(
      `CREATE OR REPLACE TEMP TABLE made AS SELECT ${typed}, CASE WHEN dt IN (${["", ...days].map(quoted)}) THEN dt ELSE '${OTHER_SHELF}' END AS place
       FROM (${conversionText("curate")})`,
    );
  }

  async #write(shelf: string, rows: number): Promise<Shelf> {
    // Sorts by time, differs within a millisecond.
    const version = `${new Date().toISOString().replace(/[-:.]/g, "")}-${++this.#made}`;
    const file = `${TABLE_FOLDER}/${shelf}/${version}.parquet`;
    if (rows === 0) return { shelf, file, rows };
    const path = join(this.#root, file);
    await mkdir(dirname(path), { recursive: true });
    // The order makes neighbours alike, which Parquet packs well.
    await this.#duck.run(
      `COPY (SELECT ${COLUMNS} FROM made WHERE place = ${quoted(shelf)} ORDER BY turbine, type, date, seq) TO ${quoted(path)} ` +
        "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)",
    );
    await syncFile(path);
    return { shelf, file, rows };
  }
}
