/**
 * Firehose's place: gathers what the stream's records carry and writes it as one raw object when enough is there or
 * enough time has passed.
 *
 * Only when the object is durable does `onDurable` say how far the stream is delivered; a crash in between delivers
 * again, which the curation removes. Nothing is left behind, nothing is skipped.
 */

import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import type { StreamRecord } from "./journal.ts";
import { payloadsOf } from "./lines.ts";
import { Positions } from "./positions.ts";
import type { RawStore } from "./raw-store.ts";

export interface DeliverySettings {
  /** Longest wait of a record for company, ms. */
  intervalMs: number;
  /** Bytes, before compression, that make an object. */
  maxBytes: number;
}

interface Batch {
  payloads: Buffer[];
  failed: { data: Buffer; problem: string }[];
  bytes: number;
  /** Of the oldest record. */
  arrivedMs: number;
  reached: Positions;
}

/** How long the delivery waits when the disk refuses, ms. */
const RETRY_MS = 1_000;

export class Delivery {
  readonly #settings: DeliverySettings;
  readonly #raw: RawStore;
  readonly #log: Logger;
  readonly #onDurable: (reached: Positions, object: string | undefined) => Promise<void>;
  #batch: Batch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(
    settings: DeliverySettings,
    raw: RawStore,
    log: Logger,
    onDurable: (reached: Positions, object: string | undefined) => Promise<void>,
  ) {
    this.#settings = settings;
    this.#raw = raw;
    this.#log = log;
    this.#onDurable = onDurable;
  }

  /** Bytes gathered and not yet written. */
  get waitingBytes(): number {
    return this.#batch?.bytes ?? 0;
  }

  /** Takes a record; resolves when the next may come. */
  async take(record: StreamRecord): Promise<void> {
    this.#batch ??= this.#open(record.arrivedMs);
    const batch = this.#batch;
    const payloads = payloadsOf(record.data);
    if (Array.isArray(payloads)) batch.payloads.push(...payloads);
    else batch.failed.push({ data: record.data, problem: payloads.problem });
    batch.bytes += record.data.length;
    batch.arrivedMs = Math.min(batch.arrivedMs, record.arrivedMs);
    batch.reached.advance(record.shard, record.sequence);
    if (batch.bytes >= this.#settings.maxBytes) await this.flush();
  }

  /** Writes what is gathered; resolves when it and everything before it is durable. */
  flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = undefined;
    clearTimeout(this.#timer);
    if (batch !== undefined) this.#flushing = this.#flushing.then(() => this.#write(batch));
    return this.#flushing;
  }

  #open(arrivedMs: number): Batch {
    this.#timer = setTimeout(() => void this.flush(), this.#settings.intervalMs);
    return { payloads: [], failed: [], bytes: 0, arrivedMs, reached: new Positions() };
  }

  /** Tries until it is written: the records are in the journal, but only for this process to deliver. */
  async #write(batch: Batch): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const object =
          batch.payloads.length > 0
            ? await this.#raw.put(batch.arrivedMs, Buffer.concat(batch.payloads))
            : undefined;
        if (batch.failed.length > 0) {
          await this.#raw.putFailed(batch.arrivedMs, batch.failed);
          this.#log.warn(
            { records: batch.failed.length },
            "records that can't be taken apart went to the errors folder",
          );
        }
        return await this.#onDurable(batch.reached, object);
      } catch (error) {
        if (attempt === 1)
          this.#log.error({ problem: messageOf(error) }, "can't write a raw object; trying again");
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
