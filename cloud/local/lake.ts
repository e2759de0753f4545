/**
 * Index and table kept up with the raw objects: after a delivery the new objects are read and the days they touch are
 * made anew, never for more of the time than its share, so that a long day does not cost the machine.
 */

import { join } from "node:path";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import { LAYOUT, type Layout } from "../layout.ts";
import { Curator } from "./curator.ts";
import { Duck } from "./duck.ts";
import { Indexer } from "./indexer.ts";
import { ObjectIndex } from "./object-index.ts";
import type { RawStore } from "./raw-store.ts";

export interface LakeSettings {
  /** The lake's folder. */
  root: string;
  threads?: number;
  /** How long a replaced version of a day stays for those who read it, ms. Default 60 s. */
  graceMs?: number;
  /** Pause after a round, in durations of that round: 4 keeps the work under a fifth of the time. Default 4. */
  pauseFactor?: number;
  now?: () => number;
  layout?: Layout;
}

/** Objects indexed at once. */
const INDEX_OBJECTS = 256;
/** Wait after a failed round, ms. */
const RETRY_MS = 1_000;
/** Raw readings made into days at once. */
const READINGS_AT_ONCE = 2_000_000;

export class Lake {
  readonly #raw: RawStore;
  readonly #log: Logger;
  readonly #duck: Duck;
  readonly #pauseFactor: number;
  readonly #indexer: Indexer;
  readonly #curator: Curator;
  readonly index: ObjectIndex;
  #new: string[] = [];
  /** True once it has looked which raw objects there are. */
  #looked = false;
  #round: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #notBefore = 0;
  #stopped = false;

  constructor(settings: LakeSettings, raw: RawStore, log: Logger) {
    const { root, threads, graceMs = 60_000, pauseFactor = 4, now = Date.now, layout = LAYOUT } = settings;
    this.#raw = raw;
    this.#log = log;
    this.#pauseFactor = pauseFactor;
    this.#duck = new Duck({
      temporaryFolder: join(root, "tmp"),
      ...(threads === undefined ? {} : { threads }),
    });
    this.index = new ObjectIndex(root, layout);
    this.#indexer = new Indexer(this.#duck, raw, root, log, layout);
    const indexer = this.#indexer;
    this.#curator = new Curator(
      { rawRoot: raw.root, lakeRoot: root, graceMs, readingsAtOnce: READINGS_AT_ONCE, now, layout },
      this.#duck,
      this.index,
      ({ object, tidied }) => (tidied ? indexer.copyOf(object) : raw.path(object)),
      log,
    );
  }

  /** Rows of the table. */
  get rows(): number {
    return this.#curator.rows;
  }

  /** Readings the table was made from, duplicates among them. */
  get curatedReadings(): number {
    return this.#curator.readings;
  }

  /** True while raw objects are known that the table lacks. */
  get isBehind(): boolean {
    return this.#new.length > 0 || this.#curator.staleDays().length > 0;
  }

  async start(): Promise<void> {
    await this.#duck.start();
    await this.index.load(true);
    await this.#curator.load();
  }

  /** Notes a new raw object; it is in the table some moments later. */
  add(object: string): void {
    this.#new.push(object);
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => void this.#next(), Math.max(0, this.#notBefore - Date.now()));
  }

  /** Brings the table up to every raw object there is, also those others have put there. */
  async refresh(): Promise<void> {
    await this.#chain(async () => {
      this.#looked = false;
      await this.#work();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round.catch(() => {});
    this.#duck.stop();
  }

  async #next(): Promise<void> {
    const startedMs = Date.now();
    let leastPauseMs = 0;
    try {
      await this.#chain(() => this.#work());
    } catch (error) {
      this.#log.error(
        { problem: messageOf(error) },
        "the table could not be brought up to date; trying again",
      );
      leastPauseMs = RETRY_MS;
    }
    const tookMs = Date.now() - startedMs;
    this.#notBefore = Date.now() + Math.max(leastPauseMs, tookMs * this.#pauseFactor);
    this.#timer = undefined;
    const [object] = this.#new.splice(0, 1);
    if (object !== undefined) this.add(object);
  }

  /** One round at a time. */
  #chain(work: () => Promise<void>): Promise<void> {
    const round = this.#round.catch(() => {}).then(work);
    this.#round = round;
    return round;
  }

  async #work(): Promise<void> {
    // Where the index was lost, or is another conversion's, a day made from the new objects alone would lack the old ones.
    if (!this.#looked) this.#new.push(...(await this.index.missing(await this.#raw.list())));
    this.#looked = true;
    while (this.#new.length > 0) {
      const objects = this.#new.slice(0, INDEX_OBJECTS);
      const unknown = await this.index.unknown([...new Set(objects)]);
      if (unknown.length > 0) await this.index.add(await this.#indexer.read(unknown));
      this.#new = this.#new.filter((object) => !objects.includes(object));
    }
    await this.#curator.curate();
  }
}
