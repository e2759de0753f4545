/**
 * Which event days each raw object holds, and what was delivered in it: one line an object, one file an arrival hour.
 *
 * It is made from the raw objects and can always be made again; a lost or torn line, or one by another conversion, only
 * means that its object is read anew. In memory it keeps sums, not objects, so that months of them cost little.
 */

import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { z } from "zod";
import { codeOf } from "../../agent/errors.ts";
import { type IndexEntry, indexFileOf, LAYOUT, type Layout } from "../layout.ts";
import { conversionId } from "../sql/read.ts";
import { appendDurably, writeDurably } from "./durable-files.ts";
import { RangeSet } from "./range-set.ts";

const Count = z.number().int().nonnegative();
const Entry = z.object({
  object: z.string(),
  conversion: z.string(),
  readings: Count,
  days: z.record(z.string(), Count),
  rejects: z.record(z.string(), Count),
  /** Which deliveries it holds: gateway, epoch, first and last seq. */
  seqs: z.array(z.tuple([z.string(), z.string(), z.number(), z.number()])),
  /** True where it is read from its tidy copy. */
  tidied: z.boolean(),
});

/** A line of the local index: the layout's entry, and what the local cloud wants to know beyond. */
export interface LocalEntry extends IndexEntry {
  seqs: (readonly [gateway: string, epoch: string, first: number, last: number])[];
  tidied: boolean;
}

/** What the raw objects hold of one event day. */
export interface DayTotals {
  objects: number;
  readings: number;
}

/** Arrival hours whose objects are kept by name. */
const HOURS_REMEMBERED = 4;

export class ObjectIndex {
  readonly #root: string;
  readonly #layout: Layout;
  readonly #conversion: string;
  /** Arrival hours: their index file, the days they hold, how many objects. */
  readonly #hours = new Map<string, { days: Set<string>; objects: number }>();
  readonly #days = new Map<string, DayTotals>();
  readonly #known = new Map<string, Set<string>>();
  readonly #epochs = new Map<string, RangeSet>();
  readonly rejects = new Map<string, number>();
  objects = 0;
  readings = 0;

  /** @param root the lake's folder */
  constructor(root: string, layout: Layout = LAYOUT) {
    this.#root = root;
    this.#layout = layout;
    this.#conversion = conversionId(layout);
  }

  /** @param repair true for the one that writes it: files with a torn line, or one by another conversion, are written again without it */
  async load(repair: boolean): Promise<void> {
    for (const file of await this.#files()) {
      for (const entry of await this.#read(file, repair)) this.#count(file, entry);
    }
  }

  /** Adds entries of new objects. */
  async add(entries: readonly LocalEntry[]): Promise<void> {
    const byFile = new Map<string, LocalEntry[]>();
    for (const entry of entries) append(byFile, indexFileOf(entry.object, this.#layout), entry);
    for (const [file, added] of byFile) {
      const known = await this.#knownOf(file);
      for (const { object } of added) known.add(object);
      await appendDurably(
        join(this.#root, file),
        added.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
      );
      for (const entry of added) this.#count(file, entry);
    }
  }

  /** Of all raw objects there are, those it does not know. */
  async missing(all: readonly string[]): Promise<string[]> {
    const suspects: string[] = [];
    for (const [file, objects] of this.#byIndexFile(all)) {
      if (this.#hours.get(file)?.objects !== objects.length) suspects.push(...objects);
    }
    return this.unknown(suspects);
  }

  /** Of some raw objects, those it does not know. */
  async unknown(some: readonly string[]): Promise<string[]> {
    const unknown: string[] = [];
    for (const [file, objects] of this.#byIndexFile(some)) {
      const known = await this.#knownOf(file);
      unknown.push(...objects.filter((object) => !known.has(object)));
    }
    return unknown;
  }

  get days(): ReadonlyMap<string, DayTotals> {
    return this.#days;
  }

  /** What arrived of each gateway's epochs. */
  *epochs(): Generator<{ gateway: string; epoch: string; seqs: RangeSet }> {
    for (const [key, seqs] of this.#epochs) {
      const [gateway = "", epoch = ""] = key.split("\0");
      yield { gateway, epoch, seqs };
    }
  }

  /** The objects that hold readings of any of `days`. */
  async holding(days: ReadonlySet<string>): Promise<LocalEntry[]> {
    const found: LocalEntry[] = [];
    for (const [file, hour] of this.#hours) {
      if (![...days].some((day) => hour.days.has(day))) continue;
      const entries = await this.#read(file);
      found.push(...entries.filter((entry) => Object.keys(entry.days).some((day) => days.has(day))));
    }
    return found;
  }

  /** The objects of an arrival hour; remembered for the hours last asked for. */
  async #knownOf(file: string): Promise<Set<string>> {
    const known = this.#known.get(file) ?? new Set((await this.#read(file)).map(({ object }) => object));
    this.#known.delete(file);
    this.#known.set(file, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > HOURS_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }

  /** The objects that are read from a tidy copy. */
  async tidied(): Promise<Set<string>> {
    const found = new Set<string>();
    for (const file of this.#hours.keys()) {
      for (const { object, tidied } of await this.#read(file)) if (tidied) found.add(object);
    }
    return found;
  }

  #count(file: string, entry: LocalEntry): void {
    const hour = this.#hours.get(file) ?? { days: new Set(), objects: 0 };
    this.#hours.set(file, hour);
    hour.objects++;
    this.objects++;
    this.readings += entry.readings;
    for (const [day, readings] of Object.entries(entry.days)) {
      hour.days.add(day);
      const totals = this.#days.get(day) ?? { objects: 0, readings: 0 };
      this.#days.set(day, { objects: totals.objects + 1, readings: totals.readings + readings });
    }
    for (const [reason, lines] of Object.entries(entry.rejects)) {
      this.rejects.set(reason, (this.rejects.get(reason) ?? 0) + lines);
    }
    for (const [gateway, epoch, first, last] of entry.seqs) {
      const key = `${gateway}\0${epoch}`;
      const seqs = this.#epochs.get(key) ?? new RangeSet();
      this.#epochs.set(key, seqs);
      seqs.add(first, last);
    }
  }

  async #files(): Promise<string[]> {
    const { indexFolder } = this.#layout;
    const names = await readdirOrNone(join(this.#root, indexFolder));
    const files = names.filter((name) => name.endsWith(".ndjson"));
    return files.map((name) => `${indexFolder}/${name.split(sep).join("/")}`).sort();
  }

  #byIndexFile(objects: readonly string[]): Map<string, string[]> {
    const byFile = new Map<string, string[]>();
    for (const object of objects) append(byFile, indexFileOf(object, this.#layout), object);
    return byFile;
  }

  /** The entries of a file, one an object. */
  async #read(file: string, repair = false): Promise<LocalEntry[]> {
    const path = join(this.#root, file);
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return "";
      throw error;
    });
    const lines = text.split("\n").filter((line) => line !== "");
    const entries = new Map<string, LocalEntry>();
    for (const line of lines) {
      const entry = parseEntry(line);
      if (entry?.conversion === this.#conversion && !entries.has(entry.object))
        entries.set(entry.object, entry);
    }
    const found = [...entries.values()];
    const whole = found.length === lines.length && (text === "" || text.endsWith("\n"));
    if (repair && !whole)
      await writeDurably(path, found.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    return found;
  }
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

function parseEntry(line: string): LocalEntry | undefined {
  try {
    return Entry.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

async function readdirOrNone(path: string): Promise<string[]> {
  try {
    return await readdir(path, { recursive: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}
