/**
 * When readings and settled groups are committed. A commit costs a page of flash whether it carries one reading or sixty, so readings wait for
 * company: until a page's worth is there, or the linger is over, counted from the first one that waits.
 *
 * No sender is throttled by that. One that had everything acknowledged and sends again within `QUICK_MS`, twice running, is
 * taken to wait for its acknowledgements; for it the linger is `QUICK_MS` at most, as long as it goes on so. And one that has
 * `FULL_WINDOW` readings waiting may have a window no larger than that. So a client that waits for each acknowledgement gets 50
 * readings a second, one with a window of 20 a thousand, while sensors that speak once a second share commits.
 *
 * Senders are told apart by their `stored` function: a connection hands over the same one with each of its messages.
 */

import type { Timers } from "./timers.ts";
import type { Stored } from "./types.ts";

/** What fills a page of flash, as packed, bytes. */
export const PAGE_WORTH_BYTES = 4096;
export const QUICK_MS = 20;
/** paho's default window, and mosquitto's towards a 3.1.1 subscriber. */
export const FULL_WINDOW = 20;
/** Quick answers, of which a late one takes two away, that make a sender one that waits. */
const QUICK_ANSWERS = 2;
const MOST_ANSWERS = 6;
/** A sender silent for longer is judged anew, ms. */
const FORGET_MS = 10_000;
/**
 * Settled groups are deleted with readings once they are many, or have waited for so long: each such commit writes two or
 * three pages more. By a commit of their own only if no reading comes for so long, or if they are very many.
 */
const SETTLED_WAIT_MS = 10_000;
const MANY_SETTLED = 64;
const VERY_MANY_SETTLED = 256;
const NEVER = Number.POSITIVE_INFINITY;
const AT_ONCE = Number.NEGATIVE_INFINITY;

interface Sender {
  /** Messages not yet told. */
  waiting: number;
  toldMs: number;
  answers: number;
}

export class CommitRule {
  readonly #lingerMs: number;
  readonly #senders = new WeakMap<Stored, Sender>();
  #settledSinceMs = 0;
  #lastReadingsMs = Number.NEGATIVE_INFINITY;
  /** When what waits is to be committed; `NEVER` if nothing waits. All times in ms of the timers' clock. */
  dueMs = NEVER;

  constructor(lingerMs: number) {
    this.#lingerMs = lingerMs;
  }

  /** A message came; `expectedBytes`: what the group it joined will take. */
  arrived(stored: Stored, clock: Pick<Timers, "nowMs">, expectedBytes: number): void {
    const sender = this.#senderOf(stored);
    const answers = sender.waiting++ === 0 && sender.toldMs > 0;
    // Of a crowd's messages nearly all: what waits is due, and reading the clock for each would cost more than all else here.
    if (this.dueMs === AT_ONCE && !answers) return;
    const nowMs = clock.nowMs();
    if (answers) judge(sender, nowMs - sender.toldMs);
    const atOnce = expectedBytes >= PAGE_WORTH_BYTES || sender.waiting >= FULL_WINDOW;
    const quickMs = sender.answers >= QUICK_ANSWERS ? QUICK_MS : NEVER;
    this.dueMs = atOnce ? AT_ONCE : Math.min(this.dueMs, nowMs + Math.min(this.#lingerMs, quickMs));
  }

  /** What was committed and lost waits again: it has waited long enough. */
  putBack(nowMs: number): void {
    this.dueMs = Math.min(this.dueMs, nowMs);
  }

  committed(): void {
    this.dueMs = NEVER;
  }

  readingsCommitted(nowMs: number): void {
    this.#lastReadingsMs = nowMs;
  }

  /** The first of the groups was settled that wait to be deleted. */
  settledFirst(nowMs: number): void {
    this.#settledSinceMs = nowMs;
  }

  /** When `count` settled groups are to be deleted; `isShort`: room is needed. */
  settledDueMs(how: "with readings" | "alone", count: number, isShort: boolean): number {
    if (count === 0) return NEVER;
    if (isShort || count >= (how === "alone" ? VERY_MANY_SETTLED : MANY_SETTLED)) return 0;
    const sinceMs = this.#settledSinceMs;
    return SETTLED_WAIT_MS + (how === "alone" ? Math.max(sinceMs, this.#lastReadingsMs) : sinceMs);
  }

  told(stored: Stored, nowMs: number): void {
    const sender = this.#senderOf(stored);
    sender.waiting--;
    sender.toldMs = nowMs;
  }

  #senderOf(stored: Stored): Sender {
    const sender = this.#senders.get(stored) ?? { waiting: 0, toldMs: 0, answers: 0 };
    this.#senders.set(stored, sender);
    return sender;
  }
}

function judge(sender: Sender, silentMs: number): void {
  if (silentMs <= QUICK_MS) sender.answers = Math.min(MOST_ANSWERS, sender.answers + 1);
  else sender.answers = silentMs > FORGET_MS ? 0 : Math.max(0, sender.answers - 2);
}
