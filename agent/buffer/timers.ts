/** The event loop as the buffer uses it; handed in, so that a test can play it. */

export interface Timers {
  /** Runs `run` once nothing more is readable from the sockets. The returned function takes it back. */
  soon(run: () => void): () => void;
  /** Runs `run` after `ms`; `idle` work does not keep the process alive. The returned function takes it back. */
  later(run: () => void, ms: number, idle?: "idle"): () => void;
}

export const EVENT_LOOP: Timers = {
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
