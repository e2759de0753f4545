/** The buffer's condition at one moment, for those who show it. */

import { PAGE_BYTES } from "./connection.ts";
import type { Engine } from "./engine.ts";
import type { Leases } from "./leases.ts";
import type { Parts } from "./parts.ts";
import { accountsOf, type State } from "./state.ts";
import type { Store } from "./store.ts";
import type { Accounts, BufferStatus } from "./types.ts";

export function statusOf(parts: Parts, engine: Engine): BufferStatus {
  const { condition, pending, leases, salvager } = parts;
  const { totals, synced } = engine;
  return {
    epoch: synced.epoch,
    lastSeq: synced.lastKey - synced.epochBase,
    accounts: accountsNow(synced, leases),
    state: condition.state,
    ...(condition.problem === undefined ? {} : { problem: condition.problem }),
    ...lookInto(parts, synced),
    ...totals,
    pending: pending.messages,
    leasedGroups: leases.size,
    rejectsKept: synced.rejectsKept,
    recovered: salvager.recovered,
    aside: salvager.files,
    salvagedReadings: salvager.savedReadings,
  };
}

/** What only the file tells; while it can't be read, nobody knows. */
function lookInto(
  { file: { store }, leases, settings: { maxBytes }, log }: Parts,
  synced: State,
): Pick<BufferStatus, "usedBytes" | "maxBytes" | "oldestReceivedMs" | "firstSeq"> {
  try {
    if (store === undefined) return { usedBytes: 0, maxBytes };
    const oldest = frontOf(store, leases, synced, Number.MIN_SAFE_INTEGER);
    const first = frontOf(store, leases, synced, synced.epochBase);
    return {
      // The pages kept back for deletes count as used: a full buffer has used all of its quota.
      usedBytes: Math.min(maxBytes, (store.maxPages - store.roomPages()) * PAGE_BYTES),
      maxBytes: Math.min(maxBytes, store.maxPages * PAGE_BYTES),
      ...(oldest === undefined ? {} : { oldestReceivedMs: oldest.received }),
      ...(first === undefined ? {} : { firstSeq: first.key - synced.epochBase }),
    };
  } catch (error) {
    log.debug({ err: error }, "The buffer's file could not be read for its status.");
    return { usedBytes: 0, maxBytes };
  }
}

/** The accounts with what is settled and not yet deleted: a crash would deliver that again, and count it then. */
export function accountsNow(state: State, leases: Leases): Accounts {
  const accounts = accountsOf(state);
  for (const { count, rejected } of leases.settled) {
    accounts.buffered -= count;
    accounts[rejected === undefined ? "shipped" : "rejected"] += count;
  }
  return accounts;
}

/** Settled groups that are looked behind for the oldest that is not. */
const LOOK_BEHIND = 256;

/** The first group behind the key `after` that is not yet settled. */
function frontOf(store: Store, leases: Leases, synced: State, after: number) {
  const gone = new Set(leases.settled.map(({ key }) => key));
  const end = synced.lastKey + 1;
  let front = store.front(after, end);
  for (let steps = 0; front !== undefined && gone.has(front.key) && steps < LOOK_BEHIND; steps++) {
    front = store.front(front.key, end);
  }
  return front;
}
