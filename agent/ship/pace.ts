/**
 * When the next request may leave, how large it may be, and how many may be under way.
 *
 *  - Nothing accepted: exponential backoff with full jitter, without end; the first success resets it. Where nothing was
 *    accepted because of throttling, the backoff is shorter and no failure.
 *  - Throttled: the rate is limited to what the stream takes (rate.ts).
 *  - Slow link: a request that times out, or takes too long, makes the next ones smaller, down to a single record, so
 *    that even the slowest link gets something across; quick answers make them larger again. Several requests at once
 *    would only share such a link.
 *  - A link shared with others: no more bytes a second than we may take.
 */

import { Allowance } from "./allowance.ts";
import { StreamRate } from "./rate.ts";

export interface PaceSettings {
  /** First step of the backoff, ms. */
  baseMs: number;
  /** Longest backoff, ms. */
  capMs: number;
  maxRequestBytes: number;
  /** A request should take no longer than this, ms. */
  targetMs: number;
  /** What may go over the link, bytes a second. */
  maxBandwidth?: number | undefined;
}

export const BACKOFF_BASE_MS = 100;
/** No longer than a flush interval by default: after an outage nobody waits for us. */
export const BACKOFF_CAP_MS = 10_000;
/** After a refusal it is not calm for so long, as a multiple of the longest backoff. */
const UNREST = 3;
/** Longest backoff where all was throttled, as a multiple of the base. */
const THROTTLED_CAP = 50;
/** What is sent is judged once in this time, as a multiple of the base. */
const ROUND = 10;
/** Requests get no smaller than this, or one record, whichever is larger, bytes. */
const MIN_REQUEST_BYTES = 1024;
/** What a request takes on the wire besides its records in base64: heads, session token, answer, TLS. Bytes. */
const REQUEST_OVERHEAD_BYTES = 3 * 1024;

export class Pace {
  readonly #settings: PaceSettings;
  readonly #monotonicMs: () => number;
  readonly #random: () => number;
  readonly #rate: StreamRate;
  readonly #link: Allowance | undefined;
  #failures = 0;
  #throttledInARow = 0;
  #openAtMs = Number.NEGATIVE_INFINITY;
  #calmFromMs = Number.NEGATIVE_INFINITY;
  #requestBytes: number;

  /** `monotonicMs`: a clock that never steps; `random`: 0 ≤ r < 1. */
  constructor(settings: PaceSettings, monotonicMs: () => number, random: () => number) {
    this.#settings = settings;
    this.#monotonicMs = monotonicMs;
    this.#random = random;
    this.#rate = new StreamRate(settings.baseMs * ROUND, monotonicMs);
    const { maxBandwidth } = settings;
    this.#link = maxBandwidth === undefined ? undefined : new Allowance(maxBandwidth, 0, monotonicMs);
    this.#requestBytes = settings.maxRequestBytes;
  }

  /** Milliseconds until the next request may leave. */
  get waitMs(): number {
    return Math.max(this.backoffMs, this.#rate.waitMs, this.#link?.waitMs ?? 0);
  }

  /** Milliseconds of backoff left. */
  get backoffMs(): number {
    return Math.max(0, this.#openAtMs - this.#monotonicMs());
  }

  /** Nothing was accepted last time. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** Nothing fails, nothing has been refused for a while, and the rate has no limit. */
  get calm(): boolean {
    return this.#failures === 0 && !this.#rate.limited && this.#monotonicMs() >= this.#calmFromMs;
  }

  get requestBytes(): number {
    const linkBytes = this.#link === undefined ? Number.POSITIVE_INFINITY : this.#link.bytesPerSecond / 2;
    return Math.min(this.#requestBytes, this.#rate.burstBytes, linkBytes);
  }

  /** A record that takes more than this is too large for the link, bytes. */
  get recordBytes(): number {
    return this.#requestBytes;
  }

  /** Of `maxInFlight` requests, how many may be under way now. */
  allowed(maxInFlight: number): number {
    const slow = this.#requestBytes < this.#settings.maxRequestBytes;
    return this.failing || slow ? 1 : maxInFlight;
  }

  /** A request of `bytes` leaves now; what this returns is told with its answer. */
  sent(bytes: number): number {
    this.#link?.take((bytes * 4) / 3 + REQUEST_OVERHEAD_BYTES);
    return this.#rate.sent(bytes);
  }

  /** Nothing was accepted. `slowBytes`: what was under way when time ran out, if it did. */
  failed(slowBytes?: number): void {
    const { baseMs, capMs } = this.#settings;
    this.#failures++;
    this.#backOff(baseMs * 2 ** Math.min(this.#failures, 40), capMs);
    if (slowBytes !== undefined) this.#shrink(slowBytes);
  }

  /** An answer: of what was sent, so many bytes were accepted and throttled; `refused`: records failed, whyever. */
  answered(
    sent: number,
    tookMs: number,
    acceptedBytes: number,
    throttledBytes: number,
    refused: boolean,
  ): void {
    const { baseMs, capMs } = this.#settings;
    this.#failures = 0;
    this.#rate.answered(sent, acceptedBytes, throttledBytes);
    if (refused) this.#calmFromMs = this.#monotonicMs() + UNREST * capMs;
    if (acceptedBytes === 0 && throttledBytes > 0) {
      this.#backOff(baseMs * 2 ** Math.min(this.#throttledInARow++, 40), THROTTLED_CAP * baseMs);
    } else {
      this.#throttledInARow = 0;
      this.#resize(tookMs);
    }
  }

  #resize(tookMs: number): void {
    const { maxRequestBytes, targetMs } = this.#settings;
    if (tookMs > targetMs) this.#shrink(this.#requestBytes);
    else if (tookMs < targetMs / 2) this.#requestBytes = Math.min(maxRequestBytes, this.#requestBytes * 1.5);
  }

  #shrink(bytes: number): void {
    this.#requestBytes = Math.max(MIN_REQUEST_BYTES, Math.min(bytes, this.#requestBytes) / 2);
  }

  #backOff(ceilingMs: number, capMs: number): void {
    this.#openAtMs = this.#monotonicMs() + Math.min(capMs, ceilingMs) * this.#random();
  }
}
