/**
 * Glue's place: makes the days of the curated table from the raw objects that hold them.
 *
 * A day is always made whole, from exactly the objects the index names, into a folder of its own; the catalog then points
 * at it. So running it again, late data and duplicates change nothing but what they should. A day is stale when the
 * objects or the readings of the index differ from those it was made from, or the conversion from the one that made it; raw
 * objects are only ever added.
 */

import { existsSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { codeOf, messageOf } from "../../agent/errors.ts";
import { curatedColumns, dayFolder, LAYOUT, type Layout, versionFolder } from "../layout.ts";
import { conversionId } from "../sql/read.ts";
import { type CatalogDay, type CatalogFile, readCatalog, replaceDays } from "./catalog.ts";
import { type Duck, quoted } from "./duck.ts";
import { syncFile, syncFolder } from "./durable-files.ts";
import type { LocalEntry, ObjectIndex } from "./object-index.ts";
import { viewRaw } from "./raw-view.ts";

export interface CuratorSettings {
  /** The raw objects' folder. */
  rawRoot: string;
  /** The lake's folder. */
  lakeRoot: string;
  /** How long a replaced version stays for those who read it, ms. */
  graceMs: number;
  /** Raw readings made into days at once; a day with more is made alone. */
  readingsAtOnce: number;
  now(): number;
  layout?: Layout;
}

const Rows = z.object({ day: z.string(), n: z.coerce.number() });

export class Curator {
  readonly #settings: CuratorSettings;
  readonly #duck: Duck;
  readonly #index: ObjectIndex;
  readonly #pathOf: (entry: LocalEntry) => string;
  readonly #log: Logger;
  readonly #layout: Layout;
  readonly #conversion: string;
  #catalog: CatalogFile | undefined;
  #versions = 0;
  /** Versions to delete, oldest first. */
  #replaced: { folder: string; atMs: number }[] = [];

  /** @param pathOf where an entry's readings are read from */
  constructor(
    settings: CuratorSettings,
    duck: Duck,
    index: ObjectIndex,
    pathOf: (entry: LocalEntry) => string,
    log: Logger,
  ) {
    this.#settings = settings;
    this.#layout = settings.layout ?? LAYOUT;
    this.#conversion = conversionId(this.#layout);
    this.#duck = duck;
    this.#index = index;
    this.#pathOf = pathOf;
    this.#log = log;
  }

  async load(): Promise<void> {
    this.#catalog = await this.#readCatalog();
    await this.#findReplaced();
  }

  /** The catalog, without what is damaged or gone: that is made again from the raw objects. */
  async #readCatalog(): Promise<CatalogFile | undefined> {
    const { lakeRoot } = this.#settings;
    try {
      const catalog = await readCatalog(lakeRoot);
      for (const [day, { files }] of Object.entries(catalog?.days ?? {})) {
        if (!files.every((file) => existsSync(join(lakeRoot, file)))) delete catalog?.days[day];
      }
      return catalog;
    } catch (error) {
      this.#log.warn({ problem: messageOf(error) }, "the catalog can't be read; making the table again");
      return undefined;
    }
  }

  /** Rows of the curated table. */
  get rows(): number {
    return this.#sum((day) => day.rows);
  }

  /** Raw readings, duplicates among them, that the table was made from. */
  get readings(): number {
    return this.#sum((day) => day.readings);
  }

  /** The days whose raw readings are more than those they were made from, or were made by another conversion. */
  staleDays(): string[] {
    const stale = [...this.#index.days].filter(([day, totals]) => {
      const made = this.#catalog?.days[day];
      const same = made?.objects === totals.objects && made.readings === totals.readings;
      return !same || made.conversion !== this.#conversion;
    });
    return [...stale.map(([day]) => day), ...this.#emptied()].sort();
  }

  /** Days of which another conversion saw readings and this one sees none. */
  #emptied(): string[] {
    if (this.#index.objects === 0) return [];
    const made = Object.entries(this.#catalog?.days ?? {});
    return made
      .filter(([day, { conversion }]) => conversion !== this.#conversion && !this.#index.days.has(day))
      .map(([day]) => day);
  }

  /** Makes every stale day anew; how many it made. */
  async curate(): Promise<number> {
    const days = this.staleDays();
    for (let rest = days; rest.length > 0; ) rest = await this.#makeSome(rest);
    await this.#deleteReplaced();
    return days.length;
  }

  /** Makes the first of `days`, and as many more as fit at once; those left. */
  async #makeSome(days: readonly string[]): Promise<string[]> {
    const some = new Set<string>();
    let readings = 0;
    for (const day of days) {
      readings += this.#index.days.get(day)?.readings ?? 0;
      if (some.size > 0 && readings > this.#settings.readingsAtOnce) break;
      some.add(day);
    }
    await this.#make(some);
    return days.filter((day) => !some.has(day));
  }

  async #make(days: ReadonlySet<string>): Promise<void> {
    const entries = await this.#index.holding(days);
    const sources = entries.map((entry) => ({ path: this.#pathOf(entry), tidied: entry.tidied }));
    await viewRaw(this.#duck, { root: this.#settings.rawRoot, sources, layout: this.#layout });
    const wanted = [...days].map(quoted).join(", ");
    const columns = curatedColumns(this.#layout);
    const typed = columns.map(({ name, duckdb }) => `CAST(${name} AS ${duckdb}) AS ${name}`);
    const day = this.#layout.dayKey;
    // The order makes neighbours alike, which Parquet packs well, and the files the same each time.
    await this.#duck.run(
      `CREATE OR REPLACE TEMP TABLE made AS SELECT ${typed.join(", ")}, ${day} FROM curated_readings ` +
        `WHERE ${day} IN (${wanted}) ORDER BY ${day}, turbine, type, date, id, data`,
    );
    const version = this.#newVersion();
    const counts = `SELECT ${day} AS day, count(*) AS n FROM made GROUP BY ${day}`;
    const rows = new Map((await this.#duck.rows(counts, Rows)).map(({ day, n }) => [day, n]));
    const made: Record<string, CatalogDay> = {};
    for (const day of days) {
      const n = rows.get(day) ?? 0;
      const names = columns.map(({ name }) => name);
      const written = n === 0 ? { files: [], bytes: 0 } : await this.#write(day, version, names);
      const from = entries.filter((entry) => entry.days[day] !== undefined);
      const readings = from.reduce((sum, entry) => sum + (entry.days[day] ?? 0), 0);
      const conversion = this.#conversion;
      made[day] = { version, rows: n, objects: from.length, readings, conversion, ...written };
    }
    await this.#duck.run("DROP TABLE made");
    await this.#publish(made);
  }

  async #write(
    day: string,
    version: string,
    columns: readonly string[],
  ): Promise<{ files: string[]; bytes: number }> {
    const { lakeRoot } = this.#settings;
    const folder = versionFolder(day, version, this.#layout);
    const file = `${folder}/part-00000.parquet`;
    const path = join(lakeRoot, file);
    await mkdir(join(lakeRoot, folder), { recursive: true });
    await this.#duck.run(
      `COPY (SELECT ${columns.join(", ")} FROM made WHERE ${this.#layout.dayKey} = ${quoted(day)}) TO ${quoted(path)} ` +
        "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)",
    );
    await syncFile(path);
    await syncFolder(join(lakeRoot, folder));
    return { files: [file], bytes: (await stat(path)).size };
  }

  async #publish(made: Readonly<Record<string, CatalogDay>>): Promise<void> {
    const { lakeRoot, now } = this.#settings;
    const before = this.#catalog;
    this.#catalog = await replaceDays(lakeRoot, before, made, now(), this.#layout);
    for (const day of Object.keys(made)) {
      const old = before?.days[day];
      if (old === undefined) continue;
      this.#replaced.push({ folder: versionFolder(day, old.version, this.#layout), atMs: now() });
    }
    this.#log.debug({ days: Object.keys(made).length }, "days of the table replaced");
  }

  async #deleteReplaced(): Promise<void> {
    const { lakeRoot, graceMs, now } = this.#settings;
    const due = this.#replaced.filter(({ atMs }) => now() - atMs >= graceMs);
    this.#replaced = this.#replaced.filter((version) => !due.includes(version));
    for (const { folder } of due) await rm(join(lakeRoot, folder), { recursive: true, force: true });
  }

  /** Versions an earlier run left: replaced ones, and those it was killed over before they were published. */
  async #findReplaced(): Promise<void> {
    const { lakeRoot, now } = this.#settings;
    const layout = this.#layout;
    const prefix = `${layout.dayKey}=`;
    for (const name of await namesIn(join(lakeRoot, layout.curatedFolder))) {
      if (!name.startsWith(prefix)) continue;
      const day = name.slice(prefix.length);
      const current = this.#catalog?.days[day]?.version;
      for (const version of await namesIn(join(lakeRoot, dayFolder(day, layout)))) {
        if (version === `${layout.versionKey}=${current}`) continue;
        this.#replaced.push({ folder: `${dayFolder(day, layout)}/${version}`, atMs: now() });
      }
    }
  }

  /** `20261122T120000123Z-1`: sorts by time, differs within a millisecond. */
  #newVersion(): string {
    const time = new Date(this.#settings.now()).toISOString().replace(/[-:.]/g, "");
    return `${time}-${++this.#versions}`;
  }

  #sum(value: (day: CatalogDay) => number): number {
    return Object.values(this.#catalog?.days ?? {}).reduce((sum, day) => sum + value(day), 0);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}
