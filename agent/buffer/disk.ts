/** The open file and what memory knows of it; closes it when it fails and opens it again when it may be trusted. */

import type { Logger } from "pino";
import { Fault } from "../errors.ts";
import type { OwnerLock } from "./lock.ts";
import type { Opened } from "./open-store.ts";
import type { State } from "./state.ts";
import type { Store } from "./store.ts";

/** Opens the file again. `used`: keys a new file must not use. `problem`: set the file aside first, for this reason. */
export type Reopen = (used: { lastKey: number; salvagedKey: number }, problem?: string) => Opened;

export class Disk {
  readonly #reopen: Reopen;
  readonly #lock: OwnerLock;
  readonly #log: Logger;
  #store: Store | undefined;
  /** As committed. */
  state: Readonly<State>;

  constructor(opened: Opened, reopen: Reopen, lock: OwnerLock, log: Logger) {
    this.#lock = lock;
    this.#store = opened.store;
    this.state = opened.state;
    this.#reopen = reopen;
    this.#log = log;
  }

  /** The open file; undefined while it can't be used. */
  get store(): Store | undefined {
    return this.#store;
  }

  /** Throws `buffer.locked` where the file is another process' meanwhile: nothing may be written then. */
  own(): void {
    this.#lock.keep();
  }

  /** Closes the file at once: after a failed fsync nothing may be acknowledged on its connection. */
  abandon(): void {
    try {
      this.#store?.close();
    } catch (error) {
      this.#log.debug({ err: error }, "The failed file could not be closed in order.");
    }
    this.#store = undefined;
  }

  /**
   * Opens the file after a failure. What its log holds may sit in the system's memory only, for a failed fsync marks pages
   * as written that are not; moving the log writes and syncs them once more, so only then is anything believed.
   */
  reopen(problem?: string): Opened {
    this.abandon();
    this.#lock.keep();
    const { lastKey, salvagedKey } = this.state;
    const opened = this.#reopen({ lastKey, salvagedKey }, problem);
    try {
      const { logPages, movedPages } = opened.store.checkpoint("PASSIVE");
      if (logPages !== movedPages) {
        throw new Fault("buffer.unverified", "the log could not be moved whole into the file", {
          hint: "End other programs that read the buffer.",
          retry: true,
        });
      }
    } catch (error) {
      opened.store.close();
      throw error;
    }
    this.#store = opened.store;
    this.state = opened.state;
    return opened;
  }

  /** Empties the log into the file and closes. */
  close(): void {
    try {
      this.#store?.checkpoint("TRUNCATE");
    } catch (error) {
      this.#log.warn({ err: error }, "The buffer's log stays for the next start: it could not be moved now.");
    }
    this.abandon();
  }
}
