/**
 * The stream as its producers see it: one endpoint that outlives every kinesis-local behind it.
 *
 * A kinesis-local is replaced when it ends by itself and when its journal has grown long. What one that
 * ended had accepted and not yet handed over is delivered from its journal. Records that were delivered are not kept for
 * other consumers past a replacement; the real stream keeps them for its retention period.
 */

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import { Delivery } from "./delivery.ts";
import { Front } from "./front.ts";
import { undelivered } from "./journal.ts";
import type { RawStore } from "./raw-store.ts";
import { StreamLife, type StreamSettings } from "./stream-life.ts";

/** Bytes of records a kinesis-local takes before it is replaced. */
export const LIFE_BYTES = 256 * 1024 * 1024;
/** Wait before another try to start one, ms. */
const RESTART_MS = 1_000;

export class Stream {
  readonly #settings: StreamSettings;
  readonly #folder: string;
  readonly #raw: RawStore;
  readonly #log: Logger;
  readonly #onObject: (key: string) => void;
  readonly #front: Front;
  readonly #lifeBytes: number;
  #life: StreamLife | undefined;
  #number = 0;
  #stopping = false;
  #replacing: Promise<void> | undefined;

  /** @param folder of the journals */
  constructor(
    settings: StreamSettings,
    folder: string,
    raw: RawStore,
    log: Logger,
    onObject: (key: string) => void,
    lifeBytes: number = LIFE_BYTES,
  ) {
    this.#settings = settings;
    this.#folder = folder;
    this.#raw = raw;
    this.#log = log;
    this.#onObject = onObject;
    this.#front = new Front(settings.stream, log);
    this.#lifeBytes = lifeBytes;
  }

  /** The process id of the kinesis-local at work, 0 between two. */
  get pid(): number {
    return this.#life?.pid ?? 0;
  }

  get waitingBytes(): number {
    return this.#life?.waitingBytes ?? 0;
  }

  get isDrained(): boolean {
    return this.#life?.isDrained ?? false;
  }

  /** Listens, delivers what an earlier run left, takes records; the port. */
  async start(port: number): Promise<number> {
    const listening = await this.#front.start(port);
    await mkdir(this.#folder, { recursive: true });
    for (const name of (await readdir(this.#folder)).sort()) {
      this.#number = Math.max(this.#number, Number(name));
      await this.#recover(join(this.#folder, name));
    }
    this.#enter(await this.#newLife());
    return listening;
  }

  /** Resolves when everything accepted before the call is in raw objects. */
  async drain(): Promise<void> {
    await this.#life?.drain();
    await this.#replacing;
  }

  /** Takes no more, delivers everything, ends. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#front.stop();
    await this.#replacing;
    await this.#life?.drain();
    await this.#life?.stop();
  }

  async #newLife(): Promise<StreamLife> {
    const folder = join(this.#folder, String(++this.#number).padStart(6, "0"));
    const life = new StreamLife(this.#settings, folder, this.#raw, this.#log, (object) =>
      this.#delivered(object),
    );
    try {
      await life.start();
    } catch (error) {
      await life.stop();
      throw error;
    }
    return life;
  }

  #enter(life: StreamLife): void {
    this.#life = life;
    this.#front.open(life);
    void life.ended.then((why) => {
      if (this.#stopping || this.#life !== life) return;
      this.#log.warn({ why }, "kinesis-local ended; starting another, nothing accepted is lost");
      this.#replacing ??= this.#replace(life).finally(() => {
        this.#replacing = undefined;
      });
    });
  }

  /** After a kinesis-local ended: its journal is delivered, then another takes its place. */
  async #replace(life: StreamLife): Promise<void> {
    await this.#front.close();
    await life.stop();
    if (!life.isDrained) await this.#recover(life.folder);
    while (!this.#stopping) {
      try {
        return this.#enter(await this.#newLife());
      } catch (error) {
        this.#log.error({ problem: messageOf(error) }, "kinesis-local does not start; trying again");
        await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
      }
    }
  }

  #delivered(object: string): void {
    this.#onObject(object);
    const life = this.#life;
    if (life === undefined || life.acceptedBytes < this.#lifeBytes || this.#stopping) return;
    this.#replacing ??= this.#renew(life).finally(() => {
      this.#replacing = undefined;
    });
  }

  /** Before the journal grows too long: the next one is ready when the last one's records are all delivered. */
  async #renew(life: StreamLife): Promise<void> {
    try {
      const next = await this.#newLife();
      await this.#front.close();
      await life.drain();
      this.#enter(next);
      await life.stop();
      if (!life.isDrained) await this.#recover(life.folder);
    } catch (error) {
      this.#log.warn(
        { problem: messageOf(error) },
        "kinesis-local could not be renewed; the old one goes on",
      );
      this.#front.open(life);
    }
  }

  async #recover(folder: string): Promise<void> {
    let records = 0;
    const delivery = new Delivery(this.#settings, this.#raw, this.#log, async (_reached, object) => {
      if (object !== undefined) this.#onObject(object);
    });
    for await (const record of undelivered(folder)) {
      await delivery.take(record);
      records++;
    }
    await delivery.flush();
    await rm(folder, { recursive: true, force: true });
    if (records > 0) this.#log.info({ records }, "delivered what an ended kinesis-local had accepted");
  }
}
