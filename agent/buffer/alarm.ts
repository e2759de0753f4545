/** One thing to be done at one time; asked for again, the earlier time holds. */

import type { Timers } from "./timers.ts";

export class Alarm {
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #run: () => void;
  #cancel: (() => void) | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(deps: { timers: Timers; now(): number }, run: () => void) {
    this.#timers = deps.timers;
    this.#now = deps.now;
    this.#run = run;
  }

  /** Runs in `ms`, or once the event loop has read what there is when `ms` is 0. */
  set(ms: number): void {
    const dueMs = ms === 0 ? Number.NEGATIVE_INFINITY : this.#now() + ms;
    if (this.#cancel !== undefined && this.#dueMs <= dueMs) return;
    this.stop();
    const run = () => {
      this.#cancel = undefined;
      this.#run();
    };
    this.#dueMs = dueMs;
    this.#cancel = ms === 0 ? this.#timers.soon(run) : this.#timers.later(run, ms, "idle");
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
