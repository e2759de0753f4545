/**
 * How many bytes a second the stream takes, found by what it throttles, as a token bucket.
 *
 * Without limit until the stream throttles. What it throttles is judged once a round: if it was too much, the rate falls to
 * what was accepted, and otherwise grows, quicker with each good round, until there is no limit again. If the same share is
 * throttled after the rate has fallen, we are not the cause (another producer's hot shard, say): that share is the
 * background, and does not slow us down.
 */

import { Allowance } from "./allowance.ts";

/** The rate falls no lower than this, bytes a second: an eighth of a shard, from which the way back is short. */
const LEAST_RATE = 128 * 1024;
/** What may leave at once after a pause: this long at the present rate, seconds. */
const BURST_SECONDS = 0.25;
/** Growth after a good round, and what it is multiplied by with each further one. At 1 the limit is gone. */
const FIRST_GROWTH = 0.02;
const GROWTH_GROWTH = 1.5;
/** So much is judged together where nearly all of it is throttled, before the round is over, bytes. */
const SUDDEN_BYTES = 640 * 1024;
const SUDDEN_SHARE = 0.5;
/** A smaller share that is throttled is of no concern. */
const TOLERANCE = 0.05;
/** From a share of so much more than the background, spread by a quarter, the stream is taken to be nearly full. */
const HINT = 0.01;
const HINT_SPREAD = 1.25;
/** Of a background that is smaller than it was thought to be, so much is forgotten in a round. */
const FORGETTING = 0.25;
/** The background varies by half. */
const BACKGROUND_SPREAD = 1.5;
/** A fall to less than this changes too much to tell what it was good for; one that leaves this much of the share was for nothing. */
const MODEST_FALL = 0.7;
const SHARE_LEFT = 0.75;
/** So many falls for nothing in a row are no chance. */
const FALLS = 2;
/** Rounds without an answer are a pause, over which no rate can be reckoned. */
const PAUSE_ROUNDS = 4;

interface Round {
  startMs: number;
  accepted: number;
  throttled: number;
}

const newRound = (startMs: number): Round => ({ startMs, accepted: 0, throttled: 0 });

export class StreamRate {
  readonly #roundMs: number;
  readonly #monotonicMs: () => number;
  readonly #bucket: Allowance;
  /** Bytes a second. */
  #rate = Number.POSITIVE_INFINITY;
  #growth = FIRST_GROWTH;
  /** Share that is throttled however little we send. */
  #background = 0;
  #recentShare = 0;
  /** Times the rate was limited. */
  #limits = 0;
  /** The share that was throttled when the rate fell after the round before, and how often it has fallen for nothing. */
  #fallenFrom: { share: number; times: number } | undefined;
  #round: Round;
  #lastRound: Round;

  /** What is sent is judged every `roundMs`; `monotonicMs`: a clock that never steps. */
  constructor(roundMs: number, monotonicMs: () => number) {
    this.#roundMs = roundMs;
    this.#monotonicMs = monotonicMs;
    this.#bucket = new Allowance(this.#rate, BURST_SECONDS, monotonicMs);
    this.#round = newRound(monotonicMs());
    this.#lastRound = newRound(monotonicMs());
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

  /** What left before the rate was last limited says nothing about the new rate, but what was accepted of it does. */
  answered(sent: number, acceptedBytes: number, throttledBytes: number): void {
    const nowMs = this.#monotonicMs();
    if (nowMs - this.#round.startMs > PAUSE_ROUNDS * this.#roundMs) {
      this.#round = newRound(nowMs);
      this.#lastRound = newRound(nowMs);
    }
    this.#round.accepted += acceptedBytes;
    const bytes = acceptedBytes + throttledBytes;
    if (bytes === 0 || sent !== this.#limits) return;
    this.#round.throttled += throttledBytes;
    this.#recentShare += Math.min(1, bytes / SUDDEN_BYTES) * (throttledBytes / bytes - this.#recentShare);
    const elapsedMs = nowMs - this.#round.startMs;
    const isSudden = this.#recentShare > SUDDEN_SHARE + this.#background;
    if (!isSudden && elapsedMs < this.#roundMs) return;
    if (isSudden) {
      // A round that has just begun tells little, so the one before counts as well; and streams save up a round's worth.
      this.#round.accepted += this.#lastRound.accepted;
      this.#round.startMs = this.#lastRound.startMs;
      this.#limit((this.#round.accepted * 1000) / (nowMs - this.#round.startMs + this.#roundMs));
    } else this.#judge(elapsedMs / 1000);
    this.#lastRound = this.#round;
    this.#round = newRound(nowMs);
    this.#bucket.bytesPerSecond = this.#rate;
  }

  #judge(seconds: number): void {
    const { accepted, throttled } = this.#round;
    const share = throttled / (accepted + throttled);
    const sent = (accepted + throttled) / seconds;
    const fallen = this.#fallenFrom;
    this.#fallenFrom = undefined;
    const isBackground = fallen !== undefined && share > TOLERANCE && share >= SHARE_LEFT * fallen.share;
    if (isBackground && fallen.times === FALLS) {
      this.#background = share;
      this.#rate = Number.POSITIVE_INFINITY;
      return;
    }
    if (share < this.#background) this.#background -= (this.#background - share) * FORGETTING;
    if (share <= TOLERANCE + this.#background * BACKGROUND_SPREAD) {
      this.#grow(share > this.#background * HINT_SPREAD + HINT);
      return;
    }
    // What the stream had saved up is accepted in the first round as well, and would look like a rate.
    const wasLimited = this.limited;
    this.#limit(accepted / seconds);
    if (!wasLimited || this.#rate < MODEST_FALL * sent) return;
    const from = isBackground ? fallen : { share, times: 0 };
    this.#fallenFrom = { ...from, times: from.times + 1 };
  }

  #grow(nearlyFull: boolean): void {
    if (nearlyFull) this.#growth = FIRST_GROWTH;
    this.#rate *= 1 + this.#growth;
    this.#growth *= GROWTH_GROWTH;
    if (this.#growth > 1) this.#rate = Number.POSITIVE_INFINITY;
  }

  #limit(bytesPerSecond: number): void {
    this.#rate = Math.max(LEAST_RATE, Math.min(this.#rate, bytesPerSecond));
    this.#growth = FIRST_GROWTH;
    this.#recentShare = 0;
    this.#fallenFrom = undefined;
    this.#limits++;
  }
}
