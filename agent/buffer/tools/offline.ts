/** A buffer whose agent is stopped, owned for as long as a command changes it. */

import { statSync } from "node:fs";
import { codeOf, Fault } from "../../errors.ts";
import { freeBytes } from "../ballast.ts";
import { OwnerLock } from "../lock.ts";
import { openFile, prepareFolder } from "../open-file.ts";
import type { State } from "../state.ts";
import type { Store } from "../store.ts";

export interface OfflineSettings {
  path: string;
  gateway: string;
  maxBytes: number;
  rejectsMaxBytes: number;
}

export interface OwnedBuffer {
  readonly store: Store;
  readonly state: Readonly<State>;
  /** Runs `work` in a transaction; what it does to the state is kept with the rest, or nothing is. */
  change(work: (store: Store, state: State) => void): void;
}

/**
 * Opens the buffer for `work` and closes it. Throws `buffer.locked` while an agent runs, `buffer.missing`, `buffer.full`, and
 * what opening throws; a damaged buffer is for the agent to set aside.
 */
export async function withOwned<T>(
  settings: OfflineSettings,
  work: (buffer: OwnedBuffer) => Promise<T>,
): Promise<T> {
  const { path, maxBytes } = settings;
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new Fault("buffer.missing", `there is no buffer at ${path}`, {
      hint: "It is made when the agent first runs; see buffer.path in the configuration (--config).",
    });
  }
  prepareFolder(path);
  const lock = OwnerLock.take(path);
  try {
    const { store, state: found } = openFile(path, maxBytes, {
      now: Date.now,
      random: Math.random,
      freeBytes,
    });
    let state: Readonly<State> = found;
    const owned: OwnedBuffer = {
      store,
      get state() {
        return state;
      },
      change(work) {
        const next = { ...state, commits: state.commits + 1 };
        store.begin();
        try {
          work(store, next);
          store.writeState(next);
          store.commit();
        } catch (error) {
          store.rollback();
          throw codeOf(error) === "SQLITE_FULL" ? noRoom(path, error) : error;
        }
        state = next;
      },
    };
    try {
      return await work(owned);
    } finally {
      // Closed in order; moving the log syncs what was changed.
      owned.change((_store, next) => {
        next.closed = 1;
      });
      store.checkpoint("TRUNCATE");
      store.close();
    }
  } finally {
    lock.release();
  }
}

function noRoom(path: string, cause: unknown): Fault {
  return new Fault("buffer.full", `neither the buffer ${path} nor its disk has room for more`, {
    hint: "Let the agent deliver some, make room on the disk, or raise buffer.max_size; then run this again.",
    cause,
  });
}
