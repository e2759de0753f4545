/** Reads new raw objects: the table `read_lines` of the engine, and what each holds besides readings. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { messageOf } from "../../agent/errors.ts";
import { conversionText } from "../sql/read.ts";
import { type ObjectEntry, TOLD } from "./catalog.ts";
import { type Duck, quoted } from "./duck.ts";
import type { RawStore } from "./raw-store.ts";
import { type RawSource, viewGateways, viewRaw } from "./raw-view.ts";
import { look, tidy } from "./tidy.ts";

/** Rejected lines of an object that are kept; all are counted. */
export const REJECTS_KEPT = 1_000;

const LinesRow = z.object({ raw_object: z.string(), reason: z.string().nullable(), n: z.coerce.number() });
const ToldRow = z.object({ object: z.string(), row: z.string() });
const ObjectRow = z.object({ raw_object: z.string() });

export class Indexer {
  readonly #duck: Duck;
  readonly #raw: RawStore;
  readonly #copies: string;
  readonly #log: Logger;

  /** @param copies folder for tidy copies, which last for one call */
  constructor(duck: Duck, raw: RawStore, copies: string, log: Logger) {
    this.#duck = duck;
    this.#raw = raw;
    this.#copies = copies;
    this.#log = log;
  }

  /** Reads objects into `read_lines`, in the columns of checked_readings; what each holds. */
  async read(objects: readonly string[]): Promise<ObjectEntry[]> {
    // In any order: the engine reads several objects at once without waiting for one another.
    await this.#duck.run("SET preserve_insertion_order = false");
    await viewRaw(this.#duck, { root: this.#raw.root, sources: [] });
    await this.#duck.run("CREATE OR REPLACE TEMP TABLE read_lines AS FROM checked_readings");
    const looks = await Promise.all(objects.map((object) => look(this.#raw.path(object))));
    const clean = objects.filter((_, at) => looks[at]?.sound);
    const damaged = new Set(objects.filter((_, at) => !looks[at]?.sound));
    for (const object of await this.#readClean(clean)) damaged.add(object);
    const copies = await this.#tidied([...damaged]);
    await this.#load(copies);
    const telling = clean.filter((object) => !damaged.has(object) && looks[objects.indexOf(object)]?.kinds);
    const entries = await this.#entries(objects, damaged, [...this.#sources(telling), ...copies]);
    await rm(this.#copies, { recursive: true, force: true });
    return entries;
  }

  /** Reads objects at once while they are clean; halves them to find those that are not, which it returns unread. */
  async #readClean(objects: readonly string[]): Promise<string[]> {
    if (objects.length === 0) return [];
    try {
      await this.#load(this.#sources(objects));
    } catch (error) {
      const problem = messageOf(error);
      this.#log.debug({ objects: objects.length, problem }, "among these raw objects is one with bad lines");
      if (objects.length === 1) return [...objects];
      const middle = objects.length >> 1;
      const left = await this.#readClean(objects.slice(0, middle));
      return [...left, ...(await this.#readClean(objects.slice(middle)))];
    }
    const rows = await this.#duck.rows(REJECTING, ObjectRow);
    const bad = rows.map(({ raw_object }) => raw_object);
    const list = bad.map(quoted).join(", ");
    if (bad.length > 0) await this.#duck.run(`DELETE FROM read_lines WHERE raw_object IN (${list})`);
    return bad;
  }

  #sources(objects: readonly string[]): RawSource[] {
    return objects.map((object) => ({ path: this.#raw.path(object), tidied: false }));
  }

  async #tidied(objects: readonly string[]): Promise<RawSource[]> {
    const sources: RawSource[] = [];
    for (const object of objects) {
      const path = join(this.#copies, object);
      const bytes = await tidy(object, this.#raw.path(object), path);
      if (bytes > 0) this.#log.warn({ object, bytes }, "bytes of a raw object passed over");
      sources.push({ path, tidied: true });
    }
    return sources;
  }

  async #load(sources: readonly RawSource[]): Promise<void> {
    await viewRaw(this.#duck, { root: this.#raw.root, sources, unseen: true });
    await this.#duck.run("INSERT INTO read_lines FROM checked_readings");
  }

  async #entries(
    objects: readonly string[],
    damaged: ReadonlySet<string>,
    telling: readonly RawSource[],
  ): Promise<ObjectEntry[]> {
    const entries = new Map<string, ObjectEntry>();
    for (const object of objects) {
      entries.set(object, {
        object,
        damaged: damaged.has(object),
        readings: 0,
        rejects: new Map(),
        told: [],
      });
    }
    await viewGateways(this.#duck, { root: this.#raw.root, sources: telling });
    await this.#duck.run("CREATE OR REPLACE TEMP VIEW checked_readings AS FROM read_lines");
    for (const { raw_object, reason, n } of await this.#duck.rows(LINES, LinesRow)) {
      const entry = entries.get(raw_object);
      if (reason !== null) entry?.rejects.set(reason, n);
      else if (entry !== undefined) entry.readings = n;
    }
    for (const table of TOLD) {
      const kept =
        table === "rejects" ? `QUALIFY row_number() OVER (PARTITION BY object) <= ${REJECTS_KEPT}` : "";
      const told = `SELECT object, to_json(told)::VARCHAR AS row FROM (${conversionText(table)}) AS told ${kept}`;
      for (const { object, row } of await this.#duck.rows(told, ToldRow))
        entries.get(object)?.told.push({ table, row });
    }
    return [...entries.values()];
  }
}

const REJECTING = "SELECT DISTINCT raw_object FROM read_lines WHERE reason IS NOT NULL";
const LINES = "SELECT raw_object, reason, count(*) AS n FROM read_lines GROUP BY raw_object, reason";
