/**
 * The gateway's own state, one line a minute: not buffered, and the newest only. It travels at the end of a request that
 * leaves anyway; where none has left for a minute, in one of its own.
 */

import { memberOf } from "./record.ts";

export const STATE_EVERY_MS = 60_000;

export class StateLine {
  readonly #line: () => string | undefined;
  readonly #monotonicMs: () => number;
  readonly #everyMs: number;
  #dueMs: number;
  #requestMs: number;
  #underWay = false;

  /** `line`: the state now, with its newline; undefined for none. `monotonicMs`: a clock that never steps. */
  constructor(line: () => string | undefined, monotonicMs: () => number, everyMs = STATE_EVERY_MS) {
    this.#line = line;
    this.#monotonicMs = monotonicMs;
    this.#everyMs = everyMs;
    this.#dueMs = monotonicMs();
    this.#requestMs = monotonicMs();
  }

  /** Milliseconds until it should travel alone, if no request leaves before. */
  get aloneInMs(): number {
    if (this.#underWay) return Number.POSITIVE_INFINITY;
    return Math.max(0, Math.max(this.#dueMs, this.#requestMs + this.#everyMs) - this.#monotonicMs());
  }

  /** What a request that leaves now should take along. */
  take(): Buffer | undefined {
    this.#requestMs = this.#monotonicMs();
    if (this.#underWay || this.#requestMs < this.#dueMs) return undefined;
    const line = this.#line();
    if (line === undefined) return undefined;
    this.#underWay = true;
    return memberOf(line);
  }

  /** What was taken has arrived; or has not, and the next request takes a newer one. */
  sent(arrived: boolean): void {
    this.#underWay = false;
    if (arrived) this.#dueMs = this.#monotonicMs() + this.#everyMs;
  }
}
