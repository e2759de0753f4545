/** Reads groups for those who ship them. */

import { gzipSync } from "node:zlib";
import { decodeBody } from "./codec.ts";
import type { Leases } from "./leases.ts";
import type { GroupRow, Store } from "./store.ts";
import type { Group } from "./types.ts";

/** Bytes of groups that one lease may hold at most, whatever was asked for. */
export const MAX_LEASE_BYTES = 16 * 1024 * 1024;

/** NDJSON as the one gzip member that travels. */
export function asMember(lines: Buffer): Buffer {
  return gzipSync(lines, { level: 1 });
}

/** What took a damaged row's place: a group, nothing (it is gone), or nothing now because the disk refuses. */
export type Mend = (row: GroupRow) => Group | "gone" | "later";

/**
 * The oldest groups not leased, up to `maxBytes` of bodies and at least one. `mend` is given
 * a row that is damaged. Throws SQLite's error, with nothing leased.
 */
export function readGroups(store: Store, leases: Leases, maxBytes: number, mend: Mend): Group[] {
  const groups: Group[] = [];
  try {
    read(store, leases, maxBytes, mend, groups);
  } catch (error) {
    for (const group of groups) leases.settle(group.groupKey, { outcome: "again" });
    throw error;
  }
  return groups;
}

function read(store: Store, leases: Leases, maxBytes: number, mend: Mend, groups: Group[]): void {
  let left = Math.min(maxBytes, MAX_LEASE_BYTES);
  while (!leases.isFull && left > 0) {
    const row = leases.next(
      (key) => store.group(key),
      (after, before) => store.next(after, before),
    );
    if (row === undefined || (groups.length > 0 && row.bytes > left)) break;
    leases.take(row.key, row.count);
    const body = decodeBody(row);
    const group =
      body === undefined
        ? mend(row)
        : { groupKey: row.key, count: row.count, receivedMs: row.received, body: asMember(body) };
    if (group === "later") {
      leases.settle(row.key, { outcome: "again" });
      break;
    }
    if (group === "gone") {
      leases.skip(row.key);
      continue;
    }
    leases.take(row.key, group.count);
    left -= row.bytes;
    groups.push(group);
  }
}
