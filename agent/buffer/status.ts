/** The buffer's condition at one moment, for those who show it. */

import type { Logger } from "pino";
import { PAGE_BYTES } from "./connection.ts";
import type { Engine } from "./engine.ts";
import type { BufferFile } from "./file.ts";
import type { Leases } from "./leases.ts";
import type { Salvager } from "./salvage/salvager.ts";
import { accountsOf, type State } from "./state.ts";
import type { StorageState } from "./storage-state.ts";
import type { Store } from "./store.ts";
import type { Accounts, BufferStatus } from "./types.ts";

export interface StatusParts {
  maxBytes: number;
  file: BufferFile;
  storage: StorageState;
  engine: Engine;
  leases: Leases;
  salvager: Salvager;
  log: Logger;
}

export function statusOf(parts: StatusParts): BufferStatus {
  const { storage, engine, salvager } = parts;
  const { totals, synced } = engine;
  const look = (store: Store) => ({
    // The pages kept back for deletes count as used: a full buffer has used all of its quota.
    usedBytes: Math.min(parts.maxBytes, (store.maxPages - store.roomPages()) * PAGE_BYTES),
    maxBytes: Math.min(parts.maxBytes, store.maxPages * PAGE_BYTES),
    oldest: frontOf(store, parts.leases, synced, Number.MIN_SAFE_INTEGER)?.received,
    firstKey: frontOf(store, parts.leases, synced, synced.epochBase)?.key,
  });
  // While the file can't be read, nobody knows.
  const unknown = { usedBytes: 0, maxBytes: parts.maxBytes, oldest: undefined, firstKey: undefined };
  const { usedBytes, maxBytes, oldest, firstKey } = lookAt(parts, look) ?? unknown;
  return {
    epoch: synced.epoch,
    ...(firstKey === undefined ? {} : { firstSeq: firstKey - synced.epochBase }),
    lastSeq: synced.lastKey - synced.epochBase,
    accounts: accountsNow(synced, parts.leases),
    state: storage.state,
    ...(storage.problem === undefined ? {} : { problem: storage.problem }),
    usedBytes,
    maxBytes,
    ...(oldest === undefined ? {} : { oldestReceivedMs: oldest }),
    commits: totals.commits,
    committedReadings: totals.readings,
    commitSeconds: totals.seconds,
    longestCommitSeconds: totals.longestSeconds,
    pending: engine.waiting.messages,
    leasedGroups: parts.leases.size,
    rejectsKept: synced.rejectsKept,
    recovered: salvager.recovered,
    aside: salvager.files,
    salvagedReadings: salvager.savedReadings,
  };
}

/** The accounts with what is settled and not yet deleted: a crash would deliver that again, and count it then. */
export function accountsNow(state: State, leases: Leases): Accounts {
  const { received, buffered, shipped, rejected, dropped } = accountsOf(state);
  const { delivered, rejected: refused } = leases.settledReadings();
  return {
    received,
    buffered: buffered - delivered - refused,
    shipped: shipped + delivered,
    rejected: rejected + refused,
    dropped,
  };
}

/** Settled groups that are looked behind for the oldest that is not. */
const LOOK_BEHIND = 256;

/** The first group behind the key `after` that is not yet settled. */
function frontOf(store: Store, leases: Leases, synced: State, after: number) {
  const gone = new Set(leases.settled.map(({ key }) => key));
  const end = synced.lastKey + 1;
  let front = store.nextFront(after, end);
  for (let steps = 0; front !== undefined && gone.has(front.key) && steps < LOOK_BEHIND; steps++) {
    front = store.nextFront(front.key, end);
  }
  return front;
}

function lookAt<T>({ file, log }: StatusParts, look: (store: Store) => T): T | undefined {
  try {
    return file.store === undefined ? undefined : look(file.store);
  } catch (error) {
    log.debug({ err: error }, "The buffer's file could not be read for its status.");
    return undefined;
  }
}
