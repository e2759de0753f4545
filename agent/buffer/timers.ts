/** The event loop and its clock as the buffer uses them; handed in, so that a test can play them. */

export interface Timers {
  /** ms of a clock that is never set. */
  nowMs(): number;
  /** Runs `run` once nothing more is readable from the sockets. The returned function takes it back. */
  soon(run: () => void): () => void;
  /** Runs `run` after `ms`; `idle` work does not keep the process alive. The returned function takes it back. */
  later(run: () => void, ms: number, idle?: "idle"): () => void;
}

export const EVENT_LOOP: Timers = {
  nowMs: () => performance.now(),
  soon(run) {
    const handle = setImmediate(run);
    return () => clearImmediate(handle);
  },
  later(run, ms, idle) {
    const handle = setTimeout(run, ms);
    if (idle !== undefined) handle.unref();
    return () => clearTimeout(handle);
  },
};
