/**
 * How many bytes a second the stream takes, found by what it throttles, as a token bucket.
 *
 * Without limit until the stream throttles. Then the rate falls by the share that was throttled, and grows while nothing
 * is, quicker with each good round, until there is no limit again. At first, and now and then, it takes a break of two
 * rounds at four fifths: what is throttled in the second one as well is not due to us (another producer's hot shard, say),
 * and does not slow us down.
 */

import { Allowance } from "./allowance.ts";

/** The rate falls no lower than this, bytes a second: an eighth of a shard, from which the way back is short. */
const LEAST_RATE = 128 * 1024;
/** What may leave at once after a pause: this long at the present rate, seconds. */
const BURST_SECONDS = 0.25;
/** Growth after a good round, and what it is multiplied by with each further one. At 1 the limit is gone. */
const FIRST_GROWTH = 0.02;
const GROWTH_GROWTH = 1.5;
const BREAK_EVERY = 16;
const BREAK_ROUNDS = 2;
const BREAK_FACTOR = 0.8;
/** So much is judged together where nearly all of it is throttled, before the round is over, bytes. */
const SUDDEN_BYTES = 640 * 1024;
const SUDDEN_SHARE = 0.5;
/** A smaller share of what is sent in a break proves nothing; a larger one varies by half. */
const LEAST_BACKGROUND = 0.05;
const BACKGROUND_SPREAD = 1.5;
/** A smaller share does not limit a rate that has no limit. */
const TOLERANCE = 0.02;

export class StreamRate {
  readonly #roundMs: number;
  readonly #monotonicMs: () => number;
  readonly #bucket: Allowance;
  /** Bytes a second, and before it was last limited. */
  #rate = Number.POSITIVE_INFINITY;
  #rateBefore = Number.POSITIVE_INFINITY;
  #growth = FIRST_GROWTH;
  /** Share that is throttled however little we send. */
  #background = 0;
  #recentShare = 0;
  /** Times the rate was limited. */
  #limits = 0;
  #round = { number: 0, startMs: 0, accepted: 0, throttled: 0 };

  /** What is sent is judged every `roundMs`; `monotonicMs`: a clock that never steps. */
  constructor(roundMs: number, monotonicMs: () => number) {
    this.#roundMs = roundMs;
    this.#monotonicMs = monotonicMs;
    this.#bucket = new Allowance(this.#rate, BURST_SECONDS, monotonicMs);
    this.#round.startMs = monotonicMs();
  }

  /** The stream takes less than we could send. */
  get limited(): boolean {
    return this.#rate < Number.POSITIVE_INFINITY;
  }

  /** Milliseconds until the next request may leave. */
  get waitMs(): number {
    return this.#bucket.waitMs;
  }

  /** Bytes that should leave at once, at most. */
  get burstBytes(): number {
    return this.#bucket.bytesPerSecond * BURST_SECONDS;
  }

  /** A request of `bytes` leaves now; its answer is told with what this returns. */
  sent(bytes: number): number {
    this.#bucket.take(bytes);
    return this.#limits;
  }

  /** What left before the rate was last limited says nothing about the new rate. */
  answered(sent: number, acceptedBytes: number, throttledBytes: number): void {
    const bytes = acceptedBytes + throttledBytes;
    if (bytes === 0 || sent !== this.#limits) return;
    this.#round.accepted += acceptedBytes;
    this.#round.throttled += throttledBytes;
    this.#recentShare += Math.min(1, bytes / SUDDEN_BYTES) * (throttledBytes / bytes - this.#recentShare);
    const elapsedMs = this.#monotonicMs() - this.#round.startMs;
    if (this.#recentShare > SUDDEN_SHARE + this.#background) {
      this.#limit((this.#round.accepted * 1000) / Math.max(elapsedMs, this.#roundMs));
      this.#startRound(1);
    } else if (elapsedMs >= this.#roundMs) {
      this.#judge(elapsedMs);
      this.#startRound(this.#round.number + 1);
    }
  }

  /** A limit begins with a break, in its rounds 1 and 2. */
  get #isBreak(): boolean {
    return (
      this.limited && this.#round.number % BREAK_EVERY <= BREAK_ROUNDS && this.#round.number % BREAK_EVERY > 0
    );
  }

  #judge(elapsedMs: number): void {
    const { number, accepted, throttled } = this.#round;
    const share = throttled / (accepted + throttled);
    if (this.#isBreak) {
      if (number % BREAK_EVERY < BREAK_ROUNDS) return;
      this.#background = share < LEAST_BACKGROUND ? 0 : share;
      if (this.#background > 0) this.#rate = this.#rateBefore;
      return;
    }
    const ours = Math.max(0, share - this.#background * BACKGROUND_SPREAD);
    if (this.limited ? ours === 0 : ours <= TOLERANCE) this.#grow();
    else this.#limit((((accepted + throttled) * 1000) / elapsedMs) * (1 - ours));
  }

  #grow(): void {
    this.#rate *= 1 + this.#growth;
    this.#growth *= GROWTH_GROWTH;
    if (this.#growth > 1) this.#rate = Number.POSITIVE_INFINITY;
  }

  #limit(bytesPerSecond: number): void {
    if (!this.limited) this.#round.number = 0;
    this.#rateBefore = this.#rate;
    this.#rate = Math.max(LEAST_RATE, Math.min(this.#rate, bytesPerSecond));
    this.#growth = FIRST_GROWTH;
    this.#recentShare = 0;
    this.#limits++;
  }

  #startRound(number: number): void {
    this.#round = { number, startMs: this.#monotonicMs(), accepted: 0, throttled: 0 };
    this.#bucket.bytesPerSecond = this.#isBreak ? this.#rate * BREAK_FACTOR : this.#rate;
  }
}
