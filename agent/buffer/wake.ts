/** The one next wake-up: asked for again, the earlier time holds. */

import type { Timers } from "./timers.ts";

export class Wake {
  readonly #timers: Timers;
  readonly #run: () => void;
  #cancel: (() => void) | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(timers: Timers, run: () => void) {
    this.#timers = timers;
    this.#run = run;
  }

  /** Runs at `dueMs` of the timers' clock, or once the event loop has read what there is if that is past. */
  at(dueMs: number, idle?: "idle"): void {
    if (dueMs === Number.POSITIVE_INFINITY || (this.#cancel !== undefined && this.#dueMs <= dueMs)) return;
    this.stop();
    const run = () => {
      this.#cancel = undefined;
      this.#run();
    };
    const ms = dueMs - this.#timers.nowMs();
    this.#dueMs = dueMs;
    this.#cancel = ms <= 0 ? this.#timers.soon(run) : this.#timers.later(run, ms, idle);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
