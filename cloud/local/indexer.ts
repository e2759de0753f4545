/** Reads new raw objects once: which days they hold, which deliveries, which lines are no readings. */

import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { messageOf } from "../../agent/errors.ts";
import { conversionText } from "../sql/read.ts";
import { type Catalog, type ObjectEntry, TOLD } from "./catalog.ts";
import type { Duck } from "./duck.ts";
import type { RawStore } from "./raw-store.ts";
import { type RawSource, viewGateways, viewRaw } from "./raw-view.ts";
import { look, TIDIED_FOLDER, tidy } from "./tidy.ts";

/** Rejected lines of an object that are kept; all are counted. */
export const REJECTS_KEPT = 1_000;

const LinesRow = z.object({
  raw_object: z.string(),
  dt: z.string().nullable(),
  shelf: z.string(),
  reason: z.string().nullable(),
  n: z.coerce.number(),
});
const ToldRow = z.object({ object: z.string(), row: z.string() });

/** A raw object to be read. */
interface Seen {
  object: string;
  /** True where it has the word, or may have. */
  kinds: boolean;
}

export class Indexer {
  readonly #duck: Duck;
  readonly #raw: RawStore;
  readonly #lakeRoot: string;
  readonly #catalog: Catalog;
  readonly #log: Logger;

  /** @param lakeRoot the lake's folder, for the tidy copies */
  constructor(duck: Duck, raw: RawStore, lakeRoot: string, catalog: Catalog, log: Logger) {
    this.#duck = duck;
    this.#raw = raw;
    this.#lakeRoot = lakeRoot;
    this.#catalog = catalog;
    this.#log = log;
  }

  /** Where an object's readings are read from. */
  sourceOf({ object, tidied }: { object: string; tidied: boolean }): RawSource {
    return { path: tidied ? join(this.#lakeRoot, TIDIED_FOLDER, object) : this.#raw.path(object), tidied };
  }

  /** Adds objects to the catalog. Those with bad lines are read from a tidy copy, made here. */
  async read(objects: readonly string[]): Promise<void> {
    const looks = await Promise.all(
      objects.map(async (object) => ({ object, ...(await look(this.#raw.path(object))) })),
    );
    const { entries, bad } = await this.#readClean(looks.filter(({ sound }) => sound));
    const damaged = [...looks.filter(({ sound }) => !sound).map(({ object }) => object), ...bad];
    for (const object of damaged) {
      const copy = this.sourceOf({ object, tidied: true }).path;
      const bytes = await tidy(object, this.#raw.path(object), copy);
      if (bytes > 0) this.#log.warn({ object, bytes }, "bytes of a raw object passed over");
    }
    if (damaged.length > 0) {
      entries.push(
        ...(await this.#entries(
          damaged.map((object) => ({ object, kinds: true })),
          true,
        )),
      );
    }
    this.#catalog.add(entries);
  }

  /** Reads objects at once while they are clean; halves them to find those that are not. */
  async #readClean(seen: readonly Seen[]): Promise<{ entries: ObjectEntry[]; bad: string[] }> {
    if (seen.length === 0) return { entries: [], bad: [] };
    try {
      const entries = await this.#entries(seen, false);
      const clean = entries.filter(({ rejects }) => rejects.size === 0);
      const bad = entries.filter(({ rejects }) => rejects.size > 0);
      return { entries: clean, bad: bad.map(({ object }) => object) };
    } catch (error) {
      const problem = messageOf(error);
      this.#log.debug({ objects: seen.length, problem }, "among these raw objects is one with bad lines");
      if (seen.length === 1) return { entries: [], bad: seen.map(({ object }) => object) };
      const middle = seen.length >> 1;
      const left = await this.#readClean(seen.slice(0, middle));
      const right = await this.#readClean(seen.slice(middle));
      return { entries: [...left.entries, ...right.entries], bad: [...left.bad, ...right.bad] };
    }
  }

  async #entries(seen: readonly Seen[], tidied: boolean): Promise<ObjectEntry[]> {
    const entries = new Map<string, ObjectEntry>();
    for (const { object } of seen)
      entries.set(object, { object, tidied, parts: [], rejects: new Map(), told: [] });
    const sources = (some: readonly Seen[]) => some.map(({ object }) => this.sourceOf({ object, tidied }));
    await viewRaw(this.#duck, { root: this.#raw.root, sources: sources(seen), unseen: true });
    await viewGateways(this.#duck, {
      root: this.#raw.root,
      sources: sources(seen.filter(({ kinds }) => kinds)),
    });
    // The lines are read once, and the texts below ask what was read.
    await this.#duck.run(READ_LINES);
    await this.#duck.run("CREATE OR REPLACE TEMP VIEW checked_readings AS FROM read_lines");
    for (const { raw_object, dt, shelf, reason, n } of await this.#duck.rows(LINES, LinesRow)) {
      const entry = entries.get(raw_object);
      if (reason !== null) entry?.rejects.set(reason, n + (entry.rejects.get(reason) ?? 0));
      else if (dt !== null) entry?.parts.push({ dt, shelf, readings: n });
    }
    for (const table of TOLD) {
      const told = `SELECT object, to_json(told)::VARCHAR AS row FROM (${conversionText(table)}) AS told
        QUALIFY row_number() OVER (PARTITION BY object) <= ${table === "rejects" ? REJECTS_KEPT : "9e15"}`;
      for (const { object, row } of await this.#duck.rows(told, ToldRow))
        entries.get(object)?.told.push({ table, row });
    }
    return [...entries.values()];
  }
}

const READ_LINES = `CREATE OR REPLACE TEMP TABLE read_lines AS
  SELECT raw_object, raw_line, dt, shelf, reason, gateway, epoch, seq, dup FROM checked_readings`;
const LINES = "SELECT raw_object, dt, shelf, reason, count(*) AS n FROM read_lines GROUP BY ALL";
