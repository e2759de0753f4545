/** One life of the stream: a kinesis-local, the journal of what it accepted, the reader and the delivery behind it. */

import { rm } from "node:fs/promises";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { Logger } from "pino";
import { Claims } from "./claims.ts";
import { Delivery, type DeliverySettings } from "./delivery.ts";
import type { Upstream } from "./front.ts";
import { Journal, type StreamRecord } from "./journal.ts";
import { type KinesisProcess, startKinesis } from "./kinesis.ts";
import { ensureStream, localKinesisClient } from "./kinesis-client.ts";
import { Positions } from "./positions.ts";
import type { RawStore } from "./raw-store.ts";
import { StreamReader } from "./stream-reader.ts";

export interface StreamSettings extends DeliverySettings {
  stream: string;
  region: string;
  shards: number;
}

export class StreamLife implements Upstream {
  /** The journal's folder. */
  readonly folder: string;
  readonly claims: Claims;
  /** Bytes accepted so far; the journal keeps them all. */
  acceptedBytes = 0;
  readonly #settings: StreamSettings;
  readonly #log: Logger;
  readonly #accepted = new Positions();
  readonly #delivered = new Positions();
  readonly #journal: Journal;
  readonly #delivery: Delivery;
  #client: KinesisClient | undefined;
  #process: KinesisProcess | undefined;
  #reader: StreamReader | undefined;
  #onProgress: (() => void)[] = [];

  /** @param onObject called with the key of each raw object when it is durable */
  constructor(
    settings: StreamSettings,
    folder: string,
    raw: RawStore,
    log: Logger,
    onObject: (key: string) => void,
  ) {
    this.#settings = settings;
    this.folder = folder;
    this.#log = log;
    this.#journal = new Journal(folder);
    this.claims = new Claims(this.#journal);
    this.#delivery = new Delivery(settings, raw, log, async (reached, object) => {
      if (object !== undefined) onObject(object);
      this.#delivered.advanceTo(reached);
      await this.#journal.settle(this.#delivered);
      this.#progress();
    });
  }

  get endpoint(): string {
    return this.#process?.endpoint ?? "";
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Bytes accepted and not yet in a raw object, or about to be. */
  get waitingBytes(): number {
    return this.#delivery.waitingBytes;
  }

  /** True where everything accepted is in raw objects. */
  get isDrained(): boolean {
    return this.#delivered.covers(this.#accepted);
  }

  /** Resolves, with the cause, when its kinesis-local has ended. */
  get ended(): Promise<string> {
    return this.#process?.ended ?? new Promise(() => {});
  }

  async start(): Promise<void> {
    const { stream, region, shards } = this.#settings;
    await this.#journal.start();
    this.#process = await startKinesis(region, this.#log);
    this.#client = localKinesisClient(this.#process.endpoint, region);
    await ensureStream(this.#client, stream, shards);
    this.#reader = new StreamReader(this.#client, stream, (record) => this.#take(record), this.#log);
    await this.#reader.start();
  }

  accepted(records: readonly StreamRecord[]): void {
    for (const { shard, sequence, data } of records) {
      this.#accepted.advance(shard, sequence);
      this.acceptedBytes += data.length;
    }
    this.#reader?.wake();
  }

  /** Delivers now; resolves when everything accepted before the call is in raw objects, or when kinesis-local ended. */
  async drain(): Promise<void> {
    const goal = new Positions(this.#accepted.entries());
    let ended = false;
    void this.ended.then(() => {
      ended = true;
      this.#progress();
    });
    while (!ended && !this.#delivered.covers(goal)) {
      if (this.#reader?.taken.covers(goal)) {
        await this.#delivery.flush();
        continue;
      }
      this.#reader?.wake();
      await Promise.race([this.#nextProgress(), pause(20)]);
    }
  }

  /** Ends it. What was not delivered stays in the folder; a folder with nothing left is removed. */
  async stop(): Promise<void> {
    await this.#reader?.stop();
    await this.#delivery.flush();
    await this.#journal.close();
    this.#client?.destroy();
    await this.#process?.stop();
    if (this.isDrained) await rm(this.folder, { recursive: true, force: true });
  }

  async #take(record: StreamRecord): Promise<void> {
    const data = await this.claims.payload(record.data);
    this.claims.taken(record.data);
    await this.#delivery.take({ ...record, data });
  }

  #nextProgress(): Promise<void> {
    return new Promise((resolve) => this.#onProgress.push(resolve));
  }

  #progress(): void {
    for (const resolve of this.#onProgress.splice(0)) resolve();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
