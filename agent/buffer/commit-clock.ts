/**
 * When a group is committed. Busy: as soon as nothing more is readable from the sockets. Idle: after a short linger, for
 * company spares the flash; a sender that waits for its acknowledgement is slowed once and not each time.
 */

import type { Timers } from "./timers.ts";

export class CommitClock {
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #lingerMs: number;
  readonly #commit: () => void;
  #cancel: (() => void) | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(deps: { timers: Timers; now(): number }, lingerMs: number, commit: () => void) {
    this.#timers = deps.timers;
    this.#now = deps.now;
    this.#lingerMs = lingerMs;
    this.#commit = commit;
  }

  /** Something waits to be committed. */
  arrived(): void {
    if (this.#cancel !== undefined) return;
    const run = () => {
      this.#cancel = undefined;
      this.#commit();
    };
    const idleMs = this.#now() - this.#lastMs;
    // A clock set back counts as idle.
    const busy = idleMs >= 0 && idleMs < this.#lingerMs;
    const lingers = !busy && this.#lingerMs > 0;
    this.#cancel = lingers ? this.#timers.later(run, this.#lingerMs) : this.#timers.soon(run);
  }

  committed(): void {
    this.#lastMs = this.#now();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
