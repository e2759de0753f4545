/**
 * The table kept up with the raw objects: after a delivery what is new comes into it, never for more of the time than its
 * share, so that a long day does not cost the machine; or once in a while, as Glue's schedule does.
 */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import { conversionId } from "../sql/read.ts";
import { Catalog } from "./catalog.ts";
import { Curator } from "./curator.ts";
import { Duck } from "./duck.ts";
import { Indexer } from "./indexer.ts";
import type { RawStore } from "./raw-store.ts";

export interface LakeSettings {
  /** The lake's folder. */
  root: string;
  threads?: number | undefined;
  /** How long a replaced file stays for those who read it, ms. Default 60 s. */
  graceMs?: number;
  /** Least time between two rounds, ms. Default 0. */
  everyMs?: number;
}

/** Objects that come into the table at once, and their bytes: some two million readings. */
const BATCH_OBJECTS = 256;
const BATCH_BYTES = 48 * 1024 * 1024;
/** Wait after a failed round, ms. */
const RETRY_MS = 1_000;
/** Pause after a round, in durations of that round: the work takes a fifth of the time at most. */
const PAUSE_FACTOR = 4;

export class Lake {
  readonly #raw: RawStore;
  readonly #log: Logger;
  readonly #duck: Duck;
  readonly #everyMs: number;
  readonly #indexer: Indexer;
  readonly #curator: Curator;
  readonly catalog: Catalog;
  #new: string[] = [];
  #round: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #notBefore = 0;
  #stopped = false;

  constructor(settings: LakeSettings, raw: RawStore, log: Logger) {
    const { root, threads, graceMs = 60_000, everyMs = 0 } = settings;
    this.#raw = raw;
    this.#log = log;
    this.#everyMs = everyMs;
    this.#duck = new Duck({
      temporaryFolder: join(root, "tmp"),
      ...(threads === undefined ? {} : { threads }),
    });
    this.catalog = Catalog.open(root, conversionId());
    this.#indexer = new Indexer(this.#duck, raw, join(root, "tidied"), log);
    this.#curator = new Curator(root, graceMs, this.#duck, this.catalog);
  }

  /** True while raw objects are known that the table lacks. */
  get isBehind(): boolean {
    return this.catalog.unread(this.#new).length > 0;
  }

  async start(): Promise<void> {
    await this.#duck.start();
    await this.#curator.start();
    this.#notBefore = Date.now() + this.#everyMs;
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
      this.#new = this.catalog.unread(await this.#raw.list());
      await this.#work();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round.catch(() => {});
    this.#duck.stop();
    this.catalog.close();
  }

  async #next(): Promise<void> {
    const startedMs = Date.now();
    let leastPauseMs = this.#everyMs;
    try {
      await this.#chain(() => this.#work());
    } catch (error) {
      const problem = messageOf(error);
      this.#log.error({ problem }, "the table could not be brought up to date; trying again");
      leastPauseMs = RETRY_MS;
    }
    this.#notBefore = Date.now() + Math.max(leastPauseMs, (Date.now() - startedMs) * PAUSE_FACTOR);
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
    for (;;) {
      const there = this.#new.filter((object) => existsSync(this.#raw.path(object)));
      this.#new = this.catalog.unread([...new Set(there)]);
      const objects = this.#fitting(this.#new);
      if (objects.length === 0) return;
      await this.#curator.curate(await this.#indexer.read(objects));
    }
  }

  /** The first of `objects`, and as many more as fit at once. */
  #fitting(objects: readonly string[]): string[] {
    let room = BATCH_BYTES;
    const beyond = objects.findIndex((object, at) => {
      room -= statSync(this.#raw.path(object)).size;
      return (room < 0 && at > 0) || at === BATCH_OBJECTS;
    });
    return objects.slice(0, beyond < 0 ? objects.length : beyond);
  }
}
