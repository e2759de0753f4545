/**
 * Sends queued records until each was accepted. Of a partly failed request only what failed goes back: throttled records at
 * once, beside fresh ones; records that failed for another reason each after a backoff of their own.
 */

import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import { classify, classifyRecords, isThrottling } from "./errors.ts";
import type { Pace } from "./pace.ts";
import { RecordQueue } from "./queue.ts";
import { type ShipRecord, sizeOf } from "./record.ts";
import { MAX_REQUEST_RECORDS, type ShipSettings } from "./settings.ts";
import type { FailedRecord, Sink, SinkRecord } from "./sink.ts";
import type { StateLine } from "./state-line.ts";
import { newCounters } from "./stats.ts";
import type { Trouble } from "./trouble.ts";

export interface SenderDeps {
  sink: Sink;
  pace: Pace;
  trouble: Trouble;
  state: StateLine;
  log: Logger;
  now: () => number;
  monotonicMs: () => number;
  random: () => number;
  newKey: () => string;
  /** First and longest backoff of a record, ms. */
  backoff: { baseMs: number; capMs: number };
  /** The record was accepted. */
  accepted: (record: ShipRecord) => void;
  /** The record is too large for the link as it is. */
  tooLarge: (record: ShipRecord) => void;
  /** A request has come to its end, whichever. */
  ended: () => void;
}

/** A request under way. */
interface Request {
  batch: readonly ShipRecord[];
  bytes: number;
  /** What the pace wants to be told again. */
  sent: number;
  startedMs: number;
  setbacks: number;
}

export class Sender {
  readonly queue = new RecordQueue();
  readonly count = newCounters();
  lastSuccessMs: number | undefined;
  readonly #settings: ShipSettings;
  readonly #deps: SenderDeps;
  #stopped = false;
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
    return this.queue.bytes >= this.#deps.pace.requestBytes || this.queue.ready >= MAX_REQUEST_RECORDS;
  }

  /** Nothing is queued or under way. */
  get idle(): boolean {
    return this.queue.size === 0 && this.#inFlight === 0;
  }

  /** Sends one request; false where there is nothing to send. */
  start(): boolean {
    const { pace, state, monotonicMs, newKey } = this.#deps;
    this.queue.wake(monotonicMs());
    const batch = this.queue.take(pace.requestBytes, MAX_REQUEST_RECORDS);
    if (batch.length === 0 && state.aloneInMs > 0) return false;
    const member = state.take();
    const records = member === undefined ? batch : withMember(batch, member, newKey);
    if (records.length === 0) return false;
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
    const request = {
      batch,
      bytes,
      sent: pace.sent(bytes),
      startedMs: monotonicMs(),
      setbacks: this.#setbacks,
    };
    this.#inFlight++;
    void this.#send(request, records, member !== undefined);
    return true;
  }

  /** Ends what is under way; what then still comes back is of no effect. */
  stop(): void {
    this.#stopped = true;
    this.#deps.sink.close();
  }

  async #send(request: Request, records: readonly SinkRecord[], withState: boolean): Promise<void> {
    const { sink, state } = this.#deps;
    let arrived = false;
    try {
      const failed = await sink.put(records);
      if (this.#stopped) return;
      arrived = failed.every(({ index }) => index !== 0);
      this.#answered(request, failed);
    } catch (error) {
      if (this.#stopped) return;
      this.#noneAccepted(request, error);
    }
    if (withState) state.sent(arrived);
    this.count.requests++;
    this.#inFlight--;
    this.#deps.ended();
  }

  #answered({ batch, bytes, sent, startedMs, setbacks }: Request, failed: readonly FailedRecord[]): void {
    const { pace, trouble, monotonicMs } = this.#deps;
    const codes = new Map(failed.map(({ index, errorCode }) => [index, errorCode]));
    const throttled: ShipRecord[] = [];
    let failedBytes = 0;
    for (const [index, record] of batch.entries()) {
      const code = codes.get(index);
      if (code === undefined) this.#accepted(record);
      else {
        failedBytes += sizeOf(record);
        if (isThrottling(code)) throttled.push(record);
        else this.#rest(record);
      }
    }
    this.queue.putFirst(throttled);
    const throttledBytes = throttled.reduce((sum, record) => sum + sizeOf(record), 0);
    const took = monotonicMs() - startedMs;
    const nothing = failed.length > 0 && failed.length >= batch.length && throttled.length === 0;
    if (nothing) this.#failed(setbacks);
    else pace.answered(sent, took, bytes - failedBytes, throttledBytes, failed.length > 0);
    if (failed.length === 0) {
      if (pace.calm) trouble.over();
      return;
    }
    this.#countFailed(failed.length);
    trouble.met(classifyRecords([...codes.values()], this.#settings));
  }

  #noneAccepted({ batch, bytes, sent, startedMs, setbacks }: Request, error: unknown): void {
    const { pace, trouble, now, monotonicMs } = this.#deps;
    const fault = classify(error, this.#settings, now());
    this.queue.putFirst(batch);
    this.#countFailed(batch.length);
    if (fault.code === "ship.throttled") pace.answered(sent, monotonicMs() - startedMs, 0, bytes, true);
    else this.#failed(setbacks, fault.code === "ship.timeout" ? bytes : undefined);
    trouble.met(fault);
  }

  #failed(setbacksThen: number, slowBytes?: number): void {
    if (setbacksThen !== this.#setbacks) return;
    const { pace, tooLarge } = this.#deps;
    this.#setbacks++;
    pace.failed(slowBytes);
    if (slowBytes === undefined) return;
    const isTooLarge = (record: ShipRecord) => record.groups.length > 1 && sizeOf(record) > pace.recordBytes;
    for (const record of this.queue.remove(isTooLarge)) tooLarge(record);
  }

  #rest(record: ShipRecord): void {
    const { backoff, monotonicMs, random } = this.#deps;
    record.refusals++;
    const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(record.refusals, 40));
    this.queue.rest(record, monotonicMs() + ceiling * random());
  }

  #countFailed(records: number): void {
    this.count.failedRequests++;
    this.count.failedRecords += records;
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

/** The records with `member` at the end of the first, or in one of its own. */
function withMember(batch: readonly ShipRecord[], member: Buffer, newKey: () => string): SinkRecord[] {
  const [first, ...others] = batch;
  if (first === undefined) return [{ key: newKey(), data: member }];
  return [{ key: first.key, data: Buffer.concat([first.data, member]) }, ...others];
}
