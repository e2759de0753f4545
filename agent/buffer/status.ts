/** The buffer's condition at one moment, for those who show it. */

import type { Logger } from "pino";
import type { Committer } from "./committer.ts";
import { PAGE_BYTES } from "./connection.ts";
import type { Disk } from "./disk.ts";
import type { Health } from "./health.ts";
import type { Intake } from "./intake.ts";
import type { Leases } from "./leases.ts";
import type { Salvager } from "./salvager.ts";
import { accountsOf, type State } from "./state.ts";
import type { Store } from "./store.ts";
import type { Accounts, BufferStatus } from "./types.ts";

export interface StatusParts {
  maxBytes: number;
  disk: Disk;
  health: Health;
  committer: Committer;
  intake: Intake;
  leases: Leases;
  salvager: Salvager;
  log: Logger;
}

export function statusOf(parts: StatusParts): BufferStatus {
  const { disk, health, committer, salvager } = parts;
  const { times } = committer;
  const look = (store: Store) => ({
    // The pages kept back for deletes count as used: a full buffer has used all of its quota.
    usedBytes: Math.min(parts.maxBytes, (store.maxPages - store.roomPages()) * PAGE_BYTES),
    maxBytes: Math.min(parts.maxBytes, store.maxPages * PAGE_BYTES),
    oldest: frontOf(store, parts.leases, Number.MIN_SAFE_INTEGER)?.received,
    firstKey: frontOf(store, parts.leases, disk.state.epochBase)?.key,
  });
  // While the file can't be read, nobody knows.
  const unknown = { usedBytes: 0, maxBytes: parts.maxBytes, oldest: undefined, firstKey: undefined };
  const { usedBytes, maxBytes, oldest, firstKey } = lookAt(parts, look) ?? unknown;
  return {
    epoch: disk.state.epoch,
    ...(firstKey === undefined ? {} : { firstSeq: firstKey - disk.state.epochBase }),
    lastSeq: disk.state.lastKey - disk.state.epochBase,
    accounts: accountsNow(disk.state, parts.leases),
    state: health.state,
    ...(health.problem === undefined ? {} : { problem: health.problem }),
    usedBytes,
    maxBytes,
    ...(oldest === undefined ? {} : { oldestReceivedMs: oldest }),
    commits: times.commits,
    committedReadings: times.readings,
    commitSeconds: times.seconds,
    longestCommitSeconds: times.longestSeconds,
    pending: parts.intake.pending,
    leasedGroups: parts.leases.size,
    rejectsKept: disk.state.rejectsKept,
    recovered: salvager.recovered,
    aside: salvager.aside,
    salvagedReadings: salvager.savedReadings,
  };
}

/** The accounts with what is settled and not yet deleted: a crash would deliver that again, and count it then. */
export function accountsNow(state: State, leases: Leases): Accounts {
  const { received, buffered, shipped, rejected, dropped } = accountsOf(state);
  const { delivered, refused } = leases.settledReadings();
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
function frontOf(store: Store, leases: Leases, after: number) {
  const gone = new Set(leases.settled.map(({ key }) => key));
  const end = Number.MAX_SAFE_INTEGER;
  let front = store.nextFront(after, end);
  for (let steps = 0; front !== undefined && gone.has(front.key) && steps < LOOK_BEHIND; steps++) {
    front = store.nextFront(front.key, end);
  }
  return front;
}

function lookAt<T>({ disk, log }: StatusParts, look: (store: Store) => T): T | undefined {
  try {
    return disk.store === undefined ? undefined : look(disk.store);
  } catch (error) {
    log.debug({ err: error }, "The buffer's file could not be read for its status.");
    return undefined;
  }
}
