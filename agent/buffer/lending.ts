/** Gives groups out to those who ship them: only what is known to be on the disk. */

import type { Logger } from "pino";
import { unpackGroup } from "./gzip.ts";
import type { Leases, Queue } from "./leases.ts";
import type { State } from "./state.ts";
import type { GroupRow, Store } from "./store.ts";
import type { Group } from "./types.ts";

/** Bytes of groups that one lease may hold at most, whatever was asked for. */
export const MAX_LEASE_BYTES = 16 * 1024 * 1024;

/**
 * Whole groups from that end, ascending: up to `maxBytes` of bodies and at least one. A damaged one is settled as such.
 * Throws SQLite's error if the very first can't be read.
 */
export function lendGroups(
  store: Store,
  leases: Leases,
  synced: Readonly<State>,
  { maxBytes, end, log }: { maxBytes: number; end: "oldest" | "newest"; log: Logger },
): Group[] {
  const groups: Group[] = [];
  const queue: Queue<GroupRow> = {
    get: (key) => store.group(key),
    first: (after, before) => store.next(after, before),
    last: (after, before) => store.last(after, before),
  };
  const ends = { salvaged: synced.salvagedKey, key: synced.lastKey + 1 };
  try {
    for (let left = Math.min(maxBytes, MAX_LEASE_BYTES); left > 0 && !leases.isFull; ) {
      const row = leases.take(queue, end, ends);
      if (row === undefined) break;
      const { key: groupKey, count, received: receivedMs, body } = row;
      if (groups.length > 0 && body.length > left) {
        leases.settle(groupKey, { outcome: "again" });
        break;
      }
      if (unpackGroup(row) === undefined) {
        log.error(
          { group: groupKey, readings: count },
          "A group in the buffer is damaged: its readings are lost.",
        );
        leases.damaged(groupKey);
        continue;
      }
      left -= body.length;
      groups.push({ groupKey, count, receivedMs, body });
    }
  } catch (error) {
    // What was read before is whole; the next call meets the error again.
    if (groups.length === 0) throw error;
  }
  return groups.sort((a, b) => a.groupKey - b.groupKey);
}
