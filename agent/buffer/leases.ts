/**
 * Who has which group. Holds numbers only, never bodies, and never more than a limit.
 *
 * What is to be leased lies in gaps: stretches of keys, ascending and apart, in which nobody was given anything or what was
 * given came back. At first one gap holds everything. A lease from the oldest end narrows the lowest gap; one from the
 * newest end splits the highest; a group that is sent back opens its keys again, which joins them to the gaps beside them.
 */

import type { Logger } from "pino";
import { unpackGroups } from "./gzip.ts";
import type { State } from "./state.ts";
import type { GroupRow, Store } from "./store.ts";
import type { Group, Settlement } from "./types.ts";

/** Most groups out at once; a shipper that settles nothing gets no more. */
export const MAX_LEASED_GROUPS = 20_000;
/** From so many gaps on, the newest end is served from the oldest. */
export const MAX_GAPS = 1000;
/** Bytes of groups that one lease may hold at most, whatever was asked for. */
const MAX_LEASE_BYTES = 16 * 1024 * 1024;

/** Settled, and not yet deleted from the file. */
export interface Settled {
  key: number;
  /** Readings in it. */
  count: number;
  /** Why it is kept among the rejects, and under which reason; undefined for one that was delivered. */
  rejected?: { reason: "refused" | "damaged"; detail: string };
}

/** Reads the queue: the groups between two keys, which are excluded, from that end on. */
export interface Queue<Row> {
  rows(after: number, before: number, from: "oldest" | "newest"): Iterable<Row>;
}

/** Keys from which on groups are not to be leased yet: of salvaged ones, which are below zero, and of all others. */
export interface Ends {
  salvaged: number;
  key: number;
}

/** The keys between two others. */
interface Gap {
  after: number;
  before: number;
}

export class Leases {
  /** Key → readings. */
  readonly #out = new Map<number, number>();
  /** Keys that were out when another file took the place of theirs: leased only once their late settlements have come. */
  readonly #late = new Set<number>();
  #gaps: Gap[] = everythingBut([]);
  #settled: Settled[] = [];
  /** Of `#settled`, how many the transactions that are not yet synced delete. */
  #leaving = 0;

  get size(): number {
    return this.#out.size;
  }

  /** Settled groups that no transaction deletes yet. */
  get deletable(): readonly Settled[] {
    return this.#leaving === 0 ? this.#settled : this.#settled.slice(this.#leaving);
  }

  get deletableCount(): number {
    return this.#settled.length - this.#leaving;
  }

  /** Every settled group that is still in the file, as far as it is known to be synced. */
  get settled(): readonly Settled[] {
    return this.#settled;
  }

  /** Takes groups from that end, one after the other, for as long as they are there and `accepts` says so. */
  take<Row extends { key: number; count: number }>(
    queue: Queue<Row>,
    from: "oldest" | "newest",
    ends: Ends,
    accepts: (row: Row) => boolean,
  ): void {
    const newest = from === "newest" && this.#gaps.length < MAX_GAPS;
    let at = newest ? this.#gaps.length - 1 : 0;
    for (let gap = this.#gaps[at]; gap !== undefined; gap = this.#gaps[at]) {
      const before = Math.min(gap.before, gap.after < 0 ? ends.salvaged : ends.key);
      const left = { after: gap.after, before };
      let [took, all] = [false, false];
      try {
        for (const row of queue.rows(gap.after, before, newest ? "newest" : "oldest")) {
          if (!accepts(row)) return;
          this.#out.set(row.key, row.count);
          took = true;
          if (newest) left.before = row.key;
          else left.after = row.key;
        }
        all = true;
      } finally {
        // Above what was looked at more may come; below it there is only what was not taken.
        const above = { after: Math.max(gap.after, before - 1), before: gap.before };
        const parts = all ? [above] : newest ? [left, above] : [{ ...left, before: gap.before }];
        const open = parts.filter((each) => each.before - each.after > 1);
        if (took || all) this.#gaps.splice(at, 1, ...open);
        at = newest ? at - 1 : at + open.length;
      }
    }
  }

  /** False for a group that is not out: settled before, dropped, or from before a reopening. */
  settle(key: number, settlement: Settlement): boolean {
    const count = this.#out.get(key);
    if (count === undefined) {
      if (this.#late.delete(key)) this.#open(key - 1, key + 1);
      return false;
    }
    this.#out.delete(key);
    // A salvaged group's key stands for itself alone, whatever it holds.
    if (settlement.outcome === "again") this.#open(key - 1, key < 0 ? key + 1 : key + count);
    else if (settlement.outcome === "delivered") this.#settled.push({ key, count });
    else this.#settled.push({ key, count, rejected: { reason: "refused", detail: settlement.detail } });
    return true;
  }

  /** A group that is out, and turned out to be damaged. */
  damaged(key: number): void {
    const count = this.#out.get(key) ?? 0;
    const detail = `${count} readings of a group damaged on disk could not be read`;
    this.#out.delete(key);
    this.#settled.push({ key, count, rejected: { reason: "damaged", detail } });
  }

  /** A transaction deletes the next `count` settled groups. */
  leave(count: number): void {
    this.#leaving += count;
  }

  /** Those transactions are synced. */
  left(count: number): void {
    if (count > 0) this.#settled = this.#settled.slice(count);
    this.#leaving -= count;
  }

  /** Those transactions are not in the file: their groups are still there. */
  stay(count: number): void {
    this.#leaving -= count;
  }

  /** Forgets a group that was dropped, out or not. */
  dropped(key: number): void {
    this.#out.delete(key);
  }

  /** The transaction that dropped it is not in the file. */
  notDropped(key: number): void {
    if (!this.#late.has(key)) this.#open(key - 1, key + 1);
  }

  isOut(key: number): boolean {
    return this.#out.has(key);
  }

  /** The groups that are out, ascending. */
  out(): { key: number; count: number }[] {
    return [...this.#out].map(([key, count]) => ({ key, count })).sort((a, b) => a.key - b.key);
  }

  /** Forgets everything but what is out: the queue is another file's now, whose groups may have the same keys. */
  reset(): void {
    for (const key of this.#out.keys()) this.#late.add(key);
    this.#out.clear();
    this.#gaps = everythingBut(this.#late);
    this.#settled = [];
    this.#leaving = 0;
  }

  #open(after: number, before: number): void {
    const lower = this.#gaps.filter((gap) => gap.before <= after);
    const higher = this.#gaps.filter((gap) => gap.after >= before);
    const touching = this.#gaps.slice(lower.length, this.#gaps.length - higher.length);
    const joined = {
      after: Math.min(after, touching[0]?.after ?? after),
      before: Math.max(before, touching.at(-1)?.before ?? before),
    };
    this.#gaps = [...lower, joined, ...higher];
  }
}

/** All keys but these; salvaged groups have keys below zero, all others above. */
function everythingBut(keys: Iterable<number>): Gap[] {
  const ends = [Number.MIN_SAFE_INTEGER, ...keys, 0, Number.MAX_SAFE_INTEGER].sort((a, b) => a - b);
  return ends.slice(1).map((before, index) => ({ after: ends[index] ?? 0, before }));
}

/**
 * Gives out whole groups that are known to be on the disk, ascending: up to `maxBytes` of bodies and at least one. A damaged
 * one is settled as such. Throws SQLite's error if the very first can't be read.
 */
export function lendGroups(
  store: Store,
  leases: Leases,
  synced: Readonly<State>,
  { maxBytes, end, log }: { maxBytes: number; end: "oldest" | "newest"; log: Logger },
): Group[] {
  const ends = { salvaged: synced.salvagedKey, key: synced.lastKey + 1 };
  for (;;) {
    const rows: GroupRow[] = [];
    try {
      takeRows(rows, store, leases, { maxBytes, end, ends });
      const groups = wholeOf(rows, leases, log);
      if (groups.length > 0 || rows.length === 0) return groups.sort((a, b) => a.groupKey - b.groupKey);
    } catch (error) {
      for (const { key } of rows) leases.settle(key, { outcome: "again" });
      throw error;
    }
  }
}

/** Reads the next groups into `rows`. What was read before an error is whole; the next call meets the error again. */
function takeRows(
  rows: GroupRow[],
  store: Store,
  leases: Leases,
  { maxBytes, end, ends }: { maxBytes: number; end: "oldest" | "newest"; ends: Ends },
): void {
  let left = Math.min(maxBytes, MAX_LEASE_BYTES);
  store.beginReading();
  try {
    leases.take(store, end, ends, (row) => {
      if (leases.size >= MAX_LEASED_GROUPS || (rows.length > 0 && row.body.length > left)) return false;
      left -= row.body.length;
      rows.push(row);
      return true;
    });
  } catch (error) {
    if (rows.length === 0) throw error;
  } finally {
    store.rollback();
  }
}

function wholeOf(rows: readonly GroupRow[], leases: Leases, log: Logger): Group[] {
  const unpacked = unpackGroups(rows);
  return rows.flatMap(({ key: groupKey, count, received: receivedMs, body }, index) => {
    const lines = unpacked[index];
    if (lines !== undefined) return [{ groupKey, count, receivedMs, body, lines }];
    log.error(
      { group: groupKey, readings: count },
      "A group in the buffer is damaged: its readings are lost.",
    );
    leases.damaged(groupKey);
    return [];
  });
}
