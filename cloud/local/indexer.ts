/** Reads new raw objects once: which days they hold, which deliveries, which lines are no readings. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { messageOf } from "../../agent/errors.ts";
import { LAYOUT, type Layout, rejectsFileOf } from "../layout.ts";
import { conversionId, conversionText } from "../sql/read.ts";
import { type Duck, quoted } from "./duck.ts";
import { writeDurably } from "./durable-files.ts";
import type { LocalEntry } from "./object-index.ts";
import type { RawStore } from "./raw-store.ts";
import { viewRaw } from "./raw-view.ts";
import { lookAt, TIDIED_FOLDER, tidy } from "./tidy.ts";

const CountRow = z.object({
  raw_object: z.string(),
  day: z.string().nullable(),
  reason: z.string().nullable(),
  n: z.coerce.number(),
});
const SeqsRow = z.object({
  raw_object: z.string(),
  gateway: z.string(),
  epoch: z.string(),
  first: z.coerce.number(),
  last: z.coerce.number(),
});
type SeqsRow = z.infer<typeof SeqsRow>;
const SpanRow = SeqsRow.extend({ n: z.coerce.number() });
const RejectRow = z.object({ reason: z.string(), object: z.string(), line: z.string().nullable() });

export class Indexer {
  readonly #duck: Duck;
  readonly #raw: RawStore;
  readonly #lakeRoot: string;
  readonly #log: Logger;
  readonly #layout: Layout;
  readonly #conversion: string;

  constructor(duck: Duck, raw: RawStore, lakeRoot: string, log: Logger, layout: Layout = LAYOUT) {
    this.#layout = layout;
    this.#conversion = conversionId(layout);
    this.#duck = duck;
    this.#raw = raw;
    this.#lakeRoot = lakeRoot;
    this.#log = log;
  }

  /** Where the tidy copy of an object lies. */
  copyOf(object: string): string {
    return join(this.#lakeRoot, TIDIED_FOLDER, object);
  }

  /** The entries of `objects`. Those with bad lines are read from a tidy copy, made here. */
  async read(objects: readonly string[]): Promise<LocalEntry[]> {
    const whole: string[] = [];
    const damaged: string[] = [];
    const looks = await Promise.all(objects.map((object) => lookAt(this.#raw.path(object))));
    for (const [index, object] of objects.entries()) {
      const sound = looks[index]?.whole && !looks[index]?.marked;
      (sound ? whole : damaged).push(object);
    }
    const entries = await this.#readClean(whole, damaged);
    // Read before by another text, they may have left what is no more true.
    await Promise.all(entries.map(({ object }) => this.#forget(object)));
    for (const object of damaged) entries.push(await this.#readTidied(object));
    return entries;
  }

  /** Reads objects at once while they are clean; halves them to find those that are not, and puts these in `damaged`. */
  async #readClean(objects: readonly string[], damaged: string[]): Promise<LocalEntry[]> {
    if (objects.length === 0) return [];
    let entries: LocalEntry[];
    try {
      entries = await this.#entries(objects, false);
    } catch (error) {
      if (objects.length === 1) {
        this.#log.debug(
          { object: objects[0], problem: messageOf(error) },
          "a raw object has lines that are no JSON",
        );
        damaged.push(...objects);
        return [];
      }
      const middle = objects.length >> 1;
      const left = await this.#readClean(objects.slice(0, middle), damaged);
      return [...left, ...(await this.#readClean(objects.slice(middle), damaged))];
    }
    const rejecting = entries.filter((entry) => Object.keys(entry.rejects).length > 0);
    damaged.push(...rejecting.map(({ object }) => object));
    return entries.filter((entry) => !rejecting.includes(entry));
  }

  async #forget(object: string): Promise<void> {
    await rm(join(this.#lakeRoot, rejectsFileOf(object, this.#layout)), { force: true });
    await rm(this.copyOf(object), { force: true });
  }

  async #readTidied(object: string): Promise<LocalEntry> {
    await tidy(object, this.#raw.path(object), this.copyOf(object), this.#layout);
    const [entry] = await this.#entries([object], true);
    const rejects = await this.#duck.rows(conversionText("rejects", this.#layout), RejectRow);
    const path = join(this.#lakeRoot, rejectsFileOf(object, this.#layout));
    if (rejects.length === 0) await rm(path, { force: true });
    else {
      await writeDurably(path, rejects.map((reject) => `${JSON.stringify(reject)}\n`).join(""));
      this.#log.warn(
        { object, lines: rejects.length, reason: rejects[0]?.reason },
        "raw lines set aside as rejects",
      );
    }
    return entry ?? emptyEntry(object, this.#conversion);
  }

  async #entries(objects: readonly string[], tidied: boolean): Promise<LocalEntry[]> {
    const sources = objects.map((object) => ({
      path: tidied ? this.copyOf(object) : this.#raw.path(object),
      tidied,
    }));
    await viewRaw(this.#duck, { root: this.#raw.root, sources, layout: this.#layout, unseen: true });
    await this.#duck.run(
      `CREATE OR REPLACE TEMP TABLE read_lines AS SELECT raw_object, ${this.#layout.dayKey} AS day, reason, gateway, epoch, seq FROM checked_readings`,
    );
    const entries = new Map(
      objects.map((object) => [object, { ...emptyEntry(object, this.#conversion), tidied }]),
    );
    const counts =
      "SELECT raw_object, day, reason, count(*) AS n FROM read_lines GROUP BY raw_object, day, reason";
    for (const { raw_object, day, reason, n } of await this.#duck.rows(counts, CountRow)) {
      const entry = entries.get(raw_object);
      if (entry === undefined) continue;
      if (reason !== null) entry.rejects[reason] = (entry.rejects[reason] ?? 0) + n;
      else if (day !== null) {
        entry.readings += n;
        entry.days[day] = (entry.days[day] ?? 0) + n;
      }
    }
    for (const { raw_object, gateway, epoch, first, last } of await this.#seqs()) {
      entries.get(raw_object)?.seqs.push([gateway, epoch, first, last]);
    }
    return [...entries.values()];
  }

  /** The ranges of seqs each object holds. Nearly always it is one; the others are taken apart. */
  async #seqs(): Promise<SeqsRow[]> {
    const spans = await this.#duck.rows(SPANS, SpanRow);
    const whole = spans.filter(({ first, last, n }) => n === last - first + 1);
    const broken = new Set(spans.filter((span) => !whole.includes(span)).map(({ raw_object }) => raw_object));
    if (broken.size === 0) return whole;
    const wanted = [...broken].map(quoted).join(", ");
    const runs = await this.#duck.rows(`${RUNS} WHERE raw_object IN (${wanted}) ${BY_RUN}`, SeqsRow);
    return [...whole.filter(({ raw_object }) => !broken.has(raw_object)), ...runs];
  }
}

const SPANS = `
SELECT raw_object, gateway, epoch, min(seq) AS first, max(seq) AS last, count(DISTINCT seq) AS n
FROM read_lines WHERE reason IS NULL GROUP BY raw_object, gateway, epoch`;

/** Runs of consecutive seqs: numbers that grow like their place do belong together. */
const RUNS = `
SELECT raw_object, gateway, epoch, min(seq) AS first, max(seq) AS last
FROM (
  SELECT raw_object, gateway, epoch, seq,
    seq - row_number() OVER (PARTITION BY raw_object, gateway, epoch ORDER BY seq) AS run
  FROM (SELECT DISTINCT raw_object, gateway, epoch, seq FROM read_lines WHERE reason IS NULL)
)`;
const BY_RUN = "GROUP BY raw_object, gateway, epoch, run";

interface MutableEntry extends LocalEntry {
  days: Record<string, number>;
  rejects: Record<string, number>;
}

function emptyEntry(object: string, conversion: string): MutableEntry {
  return { object, conversion, readings: 0, days: {}, rejects: {}, seqs: [], tidied: false };
}
