/**
 * Firehose's place: what the stream accepted, record after record as it came, in raw objects.
 *
 * An object grows as a file beside the raw bucket. A record is appended and synced there before its producer hears that it was
 * accepted; when enough is there or enough time has passed the file moves to the bucket. So a stop loses nothing, and what an
 * ended process left behind is delivered at the next start.
 */

import { copyFile, type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import { renameDurably } from "./durable-files.ts";
import { namesIn, type RawStore } from "./raw-store.ts";

export interface DeliverySettings {
  /** Longest wait of a record for company, ms. */
  intervalMs: number;
  /** Bytes that make an object. */
  maxBytes: number;
  /** Share of objects, 0 to 1, that are delivered twice; Firehose promises at least once. */
  repeated: number;
}

interface OpenObject {
  /** The key it will have, with its slashes escaped. */
  name: string;
  file: FileHandle;
  bytes: number;
}

export class Delivery {
  readonly #settings: DeliverySettings;
  readonly #folder: string;
  readonly #raw: RawStore;
  readonly #log: Logger;
  readonly #onObject: (key: string) => void;
  #open: OpenObject | undefined;
  /** Of the object that is on its way to the bucket. */
  #leavingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param onObject called with the key of each raw object when it is durable */
  constructor(
    settings: DeliverySettings,
    folder: string,
    raw: RawStore,
    log: Logger,
    onObject: (key: string) => void,
  ) {
    this.#settings = settings;
    this.#folder = folder;
    this.#raw = raw;
    this.#log = log;
    this.#onObject = onObject;
  }

  /** Bytes gathered and not yet in the bucket. */
  get waitingBytes(): number {
    return (this.#open?.bytes ?? 0) + this.#leavingBytes;
  }

  /** Delivers what an earlier run left. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await this.flush();
  }

  /** Takes records; resolves when they are on disk. */
  append(records: readonly Buffer[]): Promise<void> {
    return this.#next(() => this.#append(Buffer.concat(records)));
  }

  /** Delivers now; resolves when everything taken before is in the bucket. */
  flush(): Promise<void> {
    return this.#next(() => this.#deliver());
  }

  /** One step at a time, in order. */
  #next(step: () => Promise<void>): Promise<void> {
    const done = this.#last.then(step);
    this.#last = done.catch(() => {});
    return done;
  }

  async #append(bytes: Buffer): Promise<void> {
    this.#open ??= await this.#begin();
    const { file, bytes: end } = this.#open;
    try {
      await file.write(bytes, 0, bytes.length, end);
      await file.datasync();
    } catch (error) {
      await file.truncate(end).catch(() => {});
      throw error;
    }
    this.#open.bytes += bytes.length;
    if (this.#open.bytes >= this.#settings.maxBytes) this.#flushSoon(0);
  }

  async #begin(): Promise<OpenObject> {
    const name = encodeURIComponent(this.#raw.newKey(Date.now()));
    const file = await open(join(this.#folder, name), "wx");
    this.#flushSoon(this.#settings.intervalMs);
    return { name, file, bytes: 0 };
  }

  #flushSoon(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.flush().catch((error: unknown) => {
        this.#log.error({ problem: messageOf(error) }, "can't deliver a raw object; trying again");
        this.#flushSoon(this.#settings.intervalMs);
      });
    }, delayMs).unref();
  }

  async #deliver(): Promise<void> {
    clearTimeout(this.#timer);
    const done = this.#open;
    this.#open = undefined;
    this.#leavingBytes = done?.bytes ?? this.#leavingBytes;
    await done?.file.close();
    for (const name of await namesIn(this.#folder)) await this.#move(name);
    this.#leavingBytes = 0;
  }

  async #move(name: string): Promise<void> {
    const key = decodeURIComponent(name);
    await renameDurably(join(this.#folder, name), this.#raw.path(key));
    this.#onObject(key);
    if (Math.random() >= this.#settings.repeated) return;
    const again = this.#raw.newKey(Date.now());
    await mkdir(join(this.#raw.path(again), ".."), { recursive: true });
    await copyFile(this.#raw.path(key), this.#raw.path(again));
    this.#onObject(again);
  }
}
