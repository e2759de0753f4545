/** Who has which group. Holds numbers only, never bodies, and never more than a limit. */

import type { Settlement } from "./types.ts";

/** Most groups out at once; a shipper that settles nothing gets no more. */
export const MAX_LEASED_GROUPS = 20_000;

/** Delivered or refused, and not yet deleted. */
export interface Settled {
  key: number;
  /** Readings in it. */
  count: number;
  /** Why it can never be delivered; undefined for one that was. */
  refused?: string;
}

export class Leases {
  /** Key → readings. */
  readonly #out = new Map<number, number>();
  /** Sent back, ascending. */
  #again: number[] = [];
  #settled: Settled[] = [];
  /** The last key leased below zero, where salvaged groups are, and above. Groups behind a cursor are never seen again. */
  #salvagedCursor = Number.MIN_SAFE_INTEGER;
  #cursor = 0;

  get size(): number {
    return this.#out.size;
  }

  get isFull(): boolean {
    return this.#out.size >= MAX_LEASED_GROUPS;
  }

  /** Settled groups that wait to be deleted. */
  get settled(): readonly Settled[] {
    return this.#settled;
  }

  /** Readings in them. */
  settledReadings(): { delivered: number; refused: number } {
    const sum = { delivered: 0, refused: 0 };
    for (const { count, refused } of this.#settled)
      sum[refused === undefined ? "delivered" : "refused"] += count;
    return sum;
  }

  /** The next group to lease, not yet taken: one sent back, otherwise the first that `find` knows between two keys. */
  next<Row extends { key: number }>(
    fetch: (key: number) => Row | undefined,
    find: (after: number, before: number) => Row | undefined,
  ): Row | undefined {
    for (let key = this.#again[0]; key !== undefined; key = this.#again[0]) {
      const row = fetch(key);
      if (row !== undefined) return row;
      this.#again.shift();
    }
    return find(this.#salvagedCursor, 0) ?? find(this.#cursor, Number.MAX_SAFE_INTEGER);
  }

  /** Marks the group of `count` readings as out. */
  take(key: number, count: number): void {
    this.#out.set(key, count);
    if (this.#again[0] === key) this.#again.shift();
    if (key < 0) this.#salvagedCursor = Math.max(key, this.#salvagedCursor);
    else this.#cursor = Math.max(key, this.#cursor);
  }

  /** Passes over a group that is gone. */
  skip(key: number): void {
    this.take(key, 0);
    this.#out.delete(key);
  }

  /** False for a group that is not out: settled before, dropped, or from before a reopening. */
  settle(key: number, settlement: Settlement): boolean {
    const count = this.#out.get(key);
    if (count === undefined) return false;
    this.#out.delete(key);
    if (settlement.outcome === "again") {
      const place = this.#again.findIndex((other) => other > key);
      this.#again.splice(place === -1 ? this.#again.length : place, 0, key);
    } else {
      this.#settled.push({
        key,
        count,
        ...(settlement.outcome === "refused" && { refused: settlement.detail }),
      });
    }
    return true;
  }

  /** Forgets settled groups whose deletion is committed. */
  deleted(settled: readonly Settled[]): void {
    this.#settled = this.#settled.slice(settled.length);
  }

  /** Forgets a group that was dropped, out or not. */
  dropped(key: number): void {
    this.#out.delete(key);
    this.#again = this.#again.filter((other) => other !== key);
  }

  /** Groups in the order they may be dropped: first those nobody has, oldest first, then those that are out. */
  *dropOrder<Row extends { key: number }>(
    fetch: (key: number) => Row | undefined,
    find: (after: number, before: number) => Row | undefined,
  ): Generator<Row> {
    for (const key of [...this.#again]) yield* present(fetch(key));
    for (let row = find(this.#salvagedCursor, 0); row !== undefined; row = find(row.key, 0)) yield row;
    const end = Number.MAX_SAFE_INTEGER;
    for (let row = find(this.#cursor, end); row !== undefined; row = find(row.key, end)) yield row;
    for (const key of [...this.#out.keys()].sort((a, b) => a - b)) yield* present(fetch(key));
  }

  /** Forgets everything: the queue is another file's now, whose keys are others. */
  reset(): void {
    this.#out.clear();
    this.#again = [];
    this.#settled = [];
    this.#salvagedCursor = Number.MIN_SAFE_INTEGER;
    this.#cursor = 0;
  }
}

function present<Row>(row: Row | undefined): Row[] {
  return row === undefined ? [] : [row];
}
