/** Sends queued records until each was accepted; of a request, only what failed goes back into the queue. */

import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import { classify, classifyRecords } from "./errors.ts";
import type { ShipRecord } from "./ledger.ts";
import type { Pace } from "./pace.ts";
import { RecordQueue, sizeOf } from "./queue.ts";
import { MAX_REQUEST_RECORDS, type ShipSettings } from "./settings.ts";
import type { FailedRecord, Sink } from "./sink.ts";
import { newCounters } from "./stats.ts";
import type { Trouble } from "./trouble.ts";

export interface SenderDeps {
  sink: Sink;
  pace: Pace;
  trouble: Trouble;
  log: Logger;
  now: () => number;
  monotonicMs: () => number;
  /** Readings that wait in all, for the log. */
  waiting: () => number;
  /** The record was accepted. */
  accepted: (record: ShipRecord) => void;
  /** A request has come to its end, whichever. */
  ended: () => void;
}

export class Sender {
  readonly queue = new RecordQueue();
  readonly count = newCounters();
  lastSuccessMs: number | undefined;
  readonly #settings: ShipSettings;
  readonly #deps: SenderDeps;
  readonly #abort = new AbortController();
  #inFlight = 0;
  /** Grows with each setback; of several requests under way that meet the same one, only the first slows us down. */
  #setbacks = 0;

  constructor(settings: ShipSettings, deps: SenderDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  /** Another request may be under way, once the pace allows it. */
  get free(): boolean {
    return this.#inFlight < this.#deps.pace.allowed(this.#settings.maxInFlight);
  }

  get mayStart(): boolean {
    return this.free && this.#deps.pace.waitMs === 0;
  }

  /** The queue fills a request. */
  get full(): boolean {
    return this.queue.bytes >= this.#deps.pace.requestBytes || this.queue.size >= MAX_REQUEST_RECORDS;
  }

  /** Nothing is queued or under way. */
  get idle(): boolean {
    return this.queue.size === 0 && this.#inFlight === 0;
  }

  /** Sends one request; false where nothing is queued. */
  start(): boolean {
    const batch = this.queue.take(this.#deps.pace.requestBytes, MAX_REQUEST_RECORDS);
    if (batch.length === 0) return false;
    this.#inFlight++;
    void this.#send(batch);
    return true;
  }

  /** Ends what is under way; what then still comes back is of no effect. */
  stop(): void {
    this.#abort.abort();
    this.queue.clear();
    this.#deps.sink.close();
  }

  async #send(batch: ShipRecord[]): Promise<void> {
    const { sink, monotonicMs } = this.#deps;
    const setbacks = this.#setbacks;
    const startedMs = monotonicMs();
    try {
      const failed = await sink.put(batch, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      if (failed.length === 0) this.#allAccepted(batch, monotonicMs() - startedMs);
      else this.#partlyAccepted(batch, failed, setbacks);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#noneAccepted(batch, error, setbacks);
    }
    this.#inFlight--;
    this.#deps.ended();
  }

  #allAccepted(batch: readonly ShipRecord[], tookMs: number): void {
    const { pace, trouble, waiting } = this.#deps;
    this.count.requests++;
    for (const record of batch) this.#accepted(record);
    pace.succeeded(tookMs);
    if (pace.calm && trouble.active) trouble.over(waiting());
  }

  #partlyAccepted(batch: readonly ShipRecord[], failed: readonly FailedRecord[], setbacks: number): void {
    const { trouble, waiting } = this.#deps;
    const positions = new Set(failed.map(({ index }) => index));
    const again: ShipRecord[] = [];
    for (const [index, record] of batch.entries()) {
      if (positions.has(index)) again.push(record);
      else this.#accepted(record);
    }
    this.queue.putBack(again);
    this.count.requests++;
    this.count.failedRequests++;
    this.count.failedRecords += again.length;
    const errorCodes = failed.map(({ errorCode }) => errorCode);
    const fault = classifyRecords(errorCodes, this.#settings);
    this.#setback(setbacks, fault.code === "ship.throttled" || again.length < batch.length, false);
    trouble.met(fault, waiting());
  }

  #noneAccepted(batch: readonly ShipRecord[], error: unknown, setbacks: number): void {
    const { trouble, waiting, now } = this.#deps;
    this.queue.putBack(batch);
    this.count.requests++;
    this.count.failedRequests++;
    this.count.failedRecords += batch.length;
    const fault = classify(error, this.#settings, now());
    this.#setback(setbacks, fault.code === "ship.throttled", fault.code === "ship.timeout");
    trouble.met(fault, waiting());
  }

  #setback(setbacksThen: number, throttled: boolean, slow: boolean): void {
    if (setbacksThen !== this.#setbacks) return;
    this.#setbacks++;
    if (throttled) this.#deps.pace.throttled();
    else this.#deps.pace.failed(slow);
  }

  #accepted(record: ShipRecord): void {
    this.lastSuccessMs = this.#deps.now();
    this.count.records++;
    this.count.readings += record.readings;
    this.count.bytes += sizeOf(record);
    try {
      this.#deps.accepted(record);
    } catch (error) {
      // The readings stay in the buffer and are sent again after the next start: more often than once, never less.
      this.#deps.log.error({ err: error }, `Shipped readings could not be settled: ${messageOf(error)}`);
    }
  }
}
