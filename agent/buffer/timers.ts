/** The event loop and its clock as the buffer uses them; handed in, so that a test can play them. */

export interface Timers {
  /** ms of a clock that is never set. */
  nowMs(): number;
  /** Runs `run` once nothing more is readable from the sockets. The returned function takes it back. */
  soon(run: () => void): () => void;
  /** Runs `run` after `ms`, if the process lives so long. The returned function takes it back. */
  later(run: () => void, ms: number): () => void;
}

export const EVENT_LOOP: Timers = {
  nowMs: () => performance.now(),
  soon(run) {
    const handle = setImmediate(run);
    return () => clearImmediate(handle);
  },
  later(run, ms) {
    const handle = setTimeout(run, ms).unref();
    return () => clearTimeout(handle);
  },
};

/** The one next wake-up: asked for again, the earlier time holds. */
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
  at(dueMs: number): void {
    if (dueMs >= this.#dueMs || dueMs === Number.POSITIVE_INFINITY) return;
    this.stop();
    this.#dueMs = dueMs;
    const run = () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#run();
    };
    const ms = dueMs - this.#timers.nowMs();
    this.#cancel = ms <= 0 ? this.#timers.soon(run) : this.#timers.later(run, ms);
  }

  stop(): void {
    this.#cancel?.();
    this.#dueMs = Number.POSITIVE_INFINITY;
  }
}
