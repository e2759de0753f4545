/** Reads every shard of the stream from its oldest record on, through the Kinesis API. */

import { GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from "@aws-sdk/client-kinesis";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import type { StreamRecord } from "./journal.ts";
import { shardIds } from "./kinesis-client.ts";
import { Positions } from "./positions.ts";

/** How long a shard without news is left alone unless `wake()` is called, ms. */
const IDLE_MS = 5_000;
/** Most records asked for at once. */
const BATCH_RECORDS = 500;

export class StreamReader {
  readonly #client: KinesisClient;
  readonly #stream: string;
  readonly #take: (record: StreamRecord) => Promise<void>;
  readonly #log: Logger;
  /** What was handed over. */
  readonly taken = new Positions();
  readonly #known = new Set<string>();
  readonly #loops: Promise<void>[] = [];
  readonly #wakers = new Set<() => void>();
  #wakes = 0;
  #stopped = false;

  constructor(
    client: KinesisClient,
    stream: string,
    take: (record: StreamRecord) => Promise<void>,
    log: Logger,
  ) {
    this.#client = client;
    this.#stream = stream;
    this.#take = take;
    this.#log = log;
  }

  async start(): Promise<void> {
    for (const shard of await shardIds(this.#client, this.#stream)) {
      if (this.#known.has(shard)) continue;
      this.#known.add(shard);
      this.#loops.push(this.#follow(shard));
    }
  }

  /** Looks again now: there is something to read. */
  wake(): void {
    this.#wakes++;
    for (const waker of this.#wakers) waker();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await Promise.all(this.#loops);
  }

  async #follow(shard: string): Promise<void> {
    let iterator: string | undefined;
    let last: string | undefined;
    while (!this.#stopped) {
      const wakes = this.#wakes;
      try {
        iterator ??= await this.#iterator(shard, last);
        const answer = await this.#client.send(
          new GetRecordsCommand({ ShardIterator: iterator, Limit: BATCH_RECORDS }),
        );
        for (const {
          SequenceNumber: sequence,
          Data: data,
          ApproximateArrivalTimestamp: arrived,
        } of answer.Records ?? []) {
          if (data === undefined || sequence === undefined) continue;
          await this.#take({
            shard,
            sequence,
            data: Buffer.from(data),
            arrivedMs: arrived?.getTime() ?? Date.now(),
          });
          this.taken.advance(shard, sequence);
          last = sequence;
        }
        iterator = answer.NextShardIterator;
        if (iterator === undefined) return await this.start();
        if ((answer.Records ?? []).length === 0) await this.#rest(wakes);
      } catch (error) {
        if (this.#stopped) return;
        this.#log.debug({ shard, problem: messageOf(error) }, "reading the shard failed");
        iterator = undefined;
        await this.#rest(this.#wakes);
      }
    }
  }

  async #iterator(shard: string, last: string | undefined): Promise<string> {
    const from =
      last === undefined
        ? ({ ShardIteratorType: "TRIM_HORIZON" } as const)
        : ({ ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: last } as const);
    const answer = await this.#client.send(
      new GetShardIteratorCommand({ StreamName: this.#stream, ShardId: shard, ...from }),
    );
    return answer.ShardIterator ?? "";
  }

  /** Waits for news, unless there were some since `wakes` was read. */
  #rest(wakes: number): Promise<void> {
    if (wakes !== this.#wakes) return Promise.resolve();
    return new Promise((resolve) => {
      const awake = () => {
        clearTimeout(timer);
        this.#wakers.delete(awake);
        resolve();
      };
      const timer = setTimeout(awake, IDLE_MS);
      this.#wakers.add(awake);
    });
  }
}
