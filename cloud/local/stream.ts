/**
 * The stream as its producers see it: one endpoint that outlives every kinesis-local behind it.
 *
 * A kinesis-local keeps all it takes in memory, so it is replaced when that is much, and when it ends by itself. Nothing is
 * lost by that, for what it accepted is with the delivery already; but other consumers do not find it any more past a
 * replacement, where the real stream keeps it for its retention period.
 */

import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import { Front, type Upstream } from "./front.ts";
import { type KinesisProcess, startKinesis } from "./kinesis.ts";
import { ensureStream, localKinesisClient, openShards } from "./kinesis-client.ts";
import type { Put } from "./puts.ts";
import { ShardLimits } from "./shard-limits.ts";

export interface StreamSettings {
  stream: string;
  region: string;
  shards: number;
  /** True where a shard takes no more than a real one. */
  throttled: boolean;
  /** Bytes a kinesis-local takes before it is replaced by a fresh one. */
  lifeBytes: number;
}

interface Kinesis {
  process: KinesisProcess;
  client: KinesisClient;
  acceptedBytes: number;
}

/** Wait before another try to start one, ms. */
const RESTART_MS = 1_000;

export class Stream implements Upstream {
  readonly #settings: StreamSettings;
  readonly #log: Logger;
  readonly #accept: (records: readonly Buffer[]) => Promise<void>;
  readonly #front: Front;
  readonly #limits = new ShardLimits();
  #kinesis: Kinesis | undefined;
  #stopping = false;
  #replacing: Promise<void> | undefined;

  /** @param accept takes what Kinesis accepted; resolves when it is on disk */
  constructor(settings: StreamSettings, accept: (records: readonly Buffer[]) => Promise<void>, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    this.#accept = accept;
    this.#front = new Front(this, log);
  }

  get stream(): string {
    return this.#settings.stream;
  }

  get endpoint(): string {
    return this.#kinesis?.process.endpoint ?? "";
  }

  /** The process id of the kinesis-local at work. */
  get pid(): number {
    return this.#kinesis?.process.pid ?? 0;
  }

  /** Listens and takes records; the port. */
  async start(port: number): Promise<number> {
    await this.#begin();
    return this.#front.start(port);
  }

  /** Takes no more; resolves when what was taken is answered. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#front.stop();
    await this.#replacing;
    await this.#kinesis?.process.stop();
  }

  async accept(records: readonly Buffer[]): Promise<void> {
    await this.#accept(records);
    if (this.#kinesis === undefined) return;
    this.#kinesis.acceptedBytes += records.reduce((sum, { length }) => sum + length, 0);
    if (this.#kinesis.acceptedBytes >= this.#settings.lifeBytes) this.#replace();
  }

  fullShard({ entries, data }: Put, at: number): string | undefined {
    const entry = entries[at];
    if (!this.#settings.throttled || entry === undefined) return undefined;
    const { PartitionKey: partitionKey, ExplicitHashKey: hashKey } = entry;
    return this.#limits.fullShard({ partitionKey, hashKey, bytes: data[at]?.length ?? 0 });
  }

  async changed(): Promise<void> {
    if (!this.#settings.throttled || this.#kinesis === undefined) return;
    this.#limits.follow(await openShards(this.#kinesis.client, this.stream));
  }

  /** Starts a kinesis-local, which takes the place of the one before. */
  async #begin(): Promise<void> {
    const { region, shards } = this.#settings;
    const process = await startKinesis(region, this.#log);
    const client = localKinesisClient(process.endpoint, region);
    try {
      await ensureStream(client, this.stream, shards);
    } catch (error) {
      await process.stop();
      throw error;
    }
    const before = this.#kinesis;
    const kinesis = { process, client, acceptedBytes: 0 };
    this.#kinesis = kinesis;
    await this.changed();
    void process.ended.then((why) => {
      client.destroy();
      if (this.#stopping || this.#kinesis !== kinesis) return;
      this.#log.warn({ why }, "kinesis-local ended; starting another, nothing accepted is lost");
      this.#replace();
    });
    // A put that is with it fails, and its producer sends it again.
    await before?.process.stop();
  }

  #replace(): void {
    if (this.#stopping) return;
    this.#replacing ??= this.#beginUntilDone().finally(() => {
      this.#replacing = undefined;
    });
  }

  async #beginUntilDone(): Promise<void> {
    while (!this.#stopping) {
      try {
        return await this.#begin();
      } catch (error) {
        this.#log.error({ problem: messageOf(error) }, "kinesis-local does not start; trying again");
        await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
      }
    }
  }
}
