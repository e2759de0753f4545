/** A buffer whose agent is stopped, owned for as long as a command changes it. */

import { codeOf, Fault } from "../../errors.ts";
import { freeBytes } from "../ballast.ts";
import { OwnerLock } from "../lock.ts";
import { openFile, prepareFolder } from "../open-file.ts";
import type { State } from "../state.ts";
import type { Store } from "../store.ts";
import type { BufferSettings } from "../types.ts";
import { assertThere, unreadable } from "./inspect.ts";

export type OfflineSettings = Pick<BufferSettings, "path" | "gateway" | "maxBytes" | "rejectsMaxBytes">;

export interface OwnedBuffer {
  readonly store: Store;
  /** Runs `work` in a transaction; what it does to the state is kept with the rest, or nothing is. */
  change(work: (state: State) => void): void;
}

/**
 * Opens the buffer for `work` and closes it. Throws `buffer.locked` while an agent runs, `buffer.missing`, `buffer.full`, and
 * what opening throws; a damaged buffer is for the agent to set aside.
 */
export async function withOwned<T>(
  { path, maxBytes }: OfflineSettings,
  work: (buffer: OwnedBuffer) => Promise<T> | T,
): Promise<T> {
  assertThere(path);
  prepareFolder(path);
  const lock = OwnerLock.take(path);
  try {
    const opened = openFile(path, maxBytes, { now: Date.now, random: Math.random, freeBytes });
    const { store } = opened;
    let { state } = opened;
    const change = (work: (state: State) => void): void => {
      const next = { ...state, commits: state.commits + 1 };
      const transaction = store.db.transaction(() => {
        work(next);
        store.writeState(next);
      });
      transaction.immediate();
      state = next;
    };
    try {
      return await work({ store, change });
    } finally {
      // Closed in order; moving the log syncs what was changed.
      change((next) => {
        next.closed = 1;
      });
      store.checkpoint("TRUNCATE");
      store.close();
    }
  } catch (error) {
    throw codeOf(error) === "SQLITE_FULL" ? noRoom(path, error) : unreadable(path, error);
  } finally {
    lock.release();
  }
}

/** Where what was put in may not take the room that deletes need, or SQLite finds none. */
export function noRoom(path: string, cause?: unknown): Fault {
  return new Fault("buffer.full", `neither the buffer ${path} nor its disk has room for more`, {
    hint: "Let the agent deliver some, make room on the disk, or raise buffer.max_size; then run this again: what is there twice does no harm.",
    cause,
  });
}
