/**
 * When the next request may leave, how large it may be, and how many may be under way.
 *
 *  - Nothing accepted: exponential backoff with full jitter, without end; the first success resets it.
 *  - Throttled: a pause between requests that doubles with each throttled answer and shrinks slowly with each good one, so
 *    that it settles near what the stream takes; a partly throttled request is progress and not an outage.
 *  - Slow link: a request that times out, or nearly does, makes the next ones smaller, down to a single record, so
 *    that even the slowest link gets something across before the timeout; quick answers make them larger again.
 *
 * While any of the three holds, one request at a time.
 */

export interface PaceSettings {
  /** First step of the backoff and smallest pause, ms. */
  baseMs: number;
  /** Longest backoff, ms. */
  capMs: number;
  maxRequestBytes: number;
  requestTimeoutMs: number;
}

export const BACKOFF_BASE_MS = 100;
export const BACKOFF_CAP_MS = 30_000;
/** Longest pause between requests because of throttling, as a multiple of the base. */
const THROTTLE_CAP = 50;
const THROTTLE_GROWTH = 2;
const THROTTLE_DECAY = 0.85;

/** Requests get no smaller than this, or one record, whichever is larger, bytes. */
const MIN_REQUEST_BYTES = 16 * 1024;

export class Pace {
  readonly #settings: PaceSettings;
  readonly #monotonicMs: () => number;
  readonly #random: () => number;
  #failures = 0;
  #pauseMs = 0;
  #openAtMs = Number.NEGATIVE_INFINITY;
  #requestBytes: number;

  /** `monotonicMs`: a clock that never steps; `random`: 0 ≤ r < 1. */
  constructor(settings: PaceSettings, monotonicMs: () => number, random: () => number) {
    this.#settings = settings;
    this.#monotonicMs = monotonicMs;
    this.#random = random;
    this.#requestBytes = settings.maxRequestBytes;
  }

  /** Milliseconds until the next request may leave. */
  get waitMs(): number {
    return Math.max(0, this.#openAtMs - this.#monotonicMs());
  }

  /** Nothing was accepted last time. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** Neither failing nor throttled. */
  get calm(): boolean {
    return this.#failures === 0 && this.#pauseMs === 0;
  }

  get requestBytes(): number {
    return this.#requestBytes;
  }

  /** Of `maxInFlight` requests, how many may be under way now. */
  allowed(maxInFlight: number): number {
    return this.calm && this.#requestBytes >= this.#settings.maxRequestBytes ? maxInFlight : 1;
  }

  /** Nothing was accepted. `slow`: because time ran out. */
  failed(slow: boolean): void {
    const { baseMs, capMs } = this.#settings;
    this.#failures++;
    const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(this.#failures, 40));
    this.#open(ceiling * this.#random());
    if (slow) this.#shrink();
  }

  throttled(): void {
    const { baseMs } = this.#settings;
    this.#failures = 0;
    this.#pauseMs = Math.min(THROTTLE_CAP * baseMs, Math.max(baseMs, this.#pauseMs * THROTTLE_GROWTH));
    this.#pause();
  }

  /** All was accepted, `tookMs` after the request left. */
  succeeded(tookMs: number): void {
    const { baseMs, maxRequestBytes, requestTimeoutMs } = this.#settings;
    this.#failures = 0;
    this.#pauseMs = this.#pauseMs * THROTTLE_DECAY;
    if (this.#pauseMs < baseMs / 4) this.#pauseMs = 0;
    this.#pause();
    if (tookMs > requestTimeoutMs / 2) this.#shrink();
    else if (tookMs < requestTimeoutMs / 4)
      this.#requestBytes = Math.min(maxRequestBytes, this.#requestBytes * 1.5);
  }

  #shrink(): void {
    this.#requestBytes = Math.max(MIN_REQUEST_BYTES, this.#requestBytes / 2);
  }

  #pause(): void {
    this.#open(this.#pauseMs * (0.5 + this.#random()));
  }

  #open(inMs: number): void {
    this.#openAtMs = this.#monotonicMs() + inMs;
  }
}
