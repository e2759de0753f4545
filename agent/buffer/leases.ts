/** Who has which group. Holds numbers only, never bodies, and never more than a limit. */

import type { Settlement } from "./types.ts";

/** Most groups out at once; a shipper that settles nothing gets no more. */
export const MAX_LEASED_GROUPS = 20_000;
/** Most stretches of the queue remembered as leased; with more gaps, the newest end is served from the oldest. */
export const MAX_STRETCHES = 1000;

/** Settled, and not yet deleted from the file. */
export interface Settled {
  key: number;
  /** Readings in it. */
  count: number;
  /** Why it is kept among the rejects, and under which reason; undefined for one that was delivered. */
  rejected?: { reason: "refused" | "damaged"; detail: string };
}

/** Reads the queue: the group of a key, and the first or the last one between two keys, which are excluded. */
export interface Queue<Row> {
  get(key: number): Row | undefined;
  first(after: number, before: number): Row | undefined;
  last(after: number, before: number): Row | undefined;
}

/** Keys from `from` to `to`, of which every group was leased at some time. */
interface Stretch {
  from: number;
  to: number;
}

const BOTTOM = Number.MIN_SAFE_INTEGER;

export class Leases {
  /** Key → readings. */
  readonly #out = new Map<number, number>();
  /** Sent back, ascending. */
  #again: number[] = [];
  #settled: Settled[] = [];
  /** Of `#settled`, how many the transactions that are not yet synced delete. */
  #leaving = 0;
  /** The last key leased below zero, where salvaged groups are. */
  #salvaged = BOTTOM;
  /** Above zero, ascending and apart; the first begins at zero. */
  #stretches: Stretch[] = [{ from: 0, to: 0 }];

  get size(): number {
    return this.#out.size;
  }

  get isFull(): boolean {
    return this.#out.size >= MAX_LEASED_GROUPS;
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

  /** Readings in them. */
  settledReadings(): { delivered: number; rejected: number } {
    const sum = { delivered: 0, rejected: 0 };
    for (const { count, rejected } of this.#settled)
      sum[rejected === undefined ? "delivered" : "rejected"] += count;
    return sum;
  }

  /**
   * Takes the next group from that end: those sent back, what was salvaged, the rest. `ends`: keys from which on groups are
   * not to be leased yet, of salvaged ones and of others.
   */
  take<Row extends { key: number; count: number }>(
    queue: Queue<Row>,
    from: "oldest" | "newest",
    ends: { salvaged: number; key: number },
  ): Row | undefined {
    const again = this.#sentBack(queue, from);
    const newest = from === "newest" && this.#stretches.length < MAX_STRETCHES;
    const found =
      (newest ? this.#newest(queue, ends.key, again?.key) : undefined) ??
      again ??
      this.#firstSalvaged(queue, ends.salvaged) ??
      this.#oldest(queue, ends.key);
    if (found === undefined) return undefined;
    if (found === again) this.#again.splice(this.#again.indexOf(found.key), 1);
    this.#out.set(found.key, found.count);
    return found;
  }

  /** False for a group that is not out: settled before, dropped, or from before a reopening. */
  settle(key: number, settlement: Settlement): boolean {
    const count = this.#out.get(key);
    if (count === undefined) return false;
    this.#out.delete(key);
    if (settlement.outcome === "again") this.#sendBack(key);
    else if (settlement.outcome === "delivered") this.#settled.push({ key, count });
    else this.#reject(key, count, "refused", settlement.detail);
    return true;
  }

  /** A group that is out, and turned out to be damaged. */
  damaged(key: number): void {
    const count = this.#out.get(key) ?? 0;
    this.#out.delete(key);
    this.#reject(key, count, "damaged", `${count} readings of a group damaged on disk could not be read`);
  }

  /** A transaction deletes the next `count` settled groups. */
  leave(count: number): void {
    this.#leaving += count;
  }

  /** Those transactions are synced. */
  left(count: number): void {
    this.#settled = this.#settled.slice(count);
    this.#leaving -= count;
  }

  /** Those transactions are not in the file: their groups are still there. */
  stay(count: number): void {
    this.#leaving -= count;
  }

  /** Forgets a group that was dropped, out or not. */
  dropped(key: number): void {
    this.#out.delete(key);
    this.#again = this.#again.filter((other) => other !== key);
  }

  /** The transaction that dropped it is not in the file. One that was never leased will have its turn. */
  notDropped(key: number): void {
    const wasLeased =
      key < 0 ? key <= this.#salvaged : this.#stretches.some(({ from, to }) => key >= from && key <= to);
    if (wasLeased) this.#sendBack(key);
  }

  isOut(key: number): boolean {
    return this.#out.has(key);
  }

  /** Keys of the groups that are out, ascending. */
  out(): number[] {
    return [...this.#out.keys()].sort((a, b) => a - b);
  }

  /** Forgets everything: the queue is another file's now, whose keys are others. */
  reset(): void {
    this.#out.clear();
    this.#again = [];
    this.#settled = [];
    this.#leaving = 0;
    this.#salvaged = BOTTOM;
    this.#stretches = [{ from: 0, to: 0 }];
  }

  #reject(key: number, count: number, reason: "refused" | "damaged", detail: string): void {
    this.#settled.push({ key, count, rejected: { reason, detail } });
  }

  #sendBack(key: number): void {
    const place = this.#again.findIndex((other) => other > key);
    this.#again.splice(place === -1 ? this.#again.length : place, 0, key);
  }

  #sentBack<Row>(queue: Queue<Row>, from: "oldest" | "newest"): Row | undefined {
    const at = from === "oldest" ? 0 : -1;
    for (let key = this.#again.at(at); key !== undefined; key = this.#again.at(at)) {
      const row = queue.get(key);
      if (row !== undefined) return row;
      this.#again.splice(at, 1);
    }
    return undefined;
  }

  #firstSalvaged<Row extends { key: number }>(queue: Queue<Row>, end: number): Row | undefined {
    const found = queue.first(this.#salvaged, Math.min(0, end));
    if (found !== undefined) this.#salvaged = found.key;
    return found;
  }

  /** The first group in the lowest gap. A gap without groups is closed. */
  #oldest<Row extends { key: number }>(queue: Queue<Row>, end: number): Row | undefined {
    for (;;) {
      const [low, next] = this.#stretches;
      if (low === undefined) return undefined;
      const found = queue.first(low.to, next?.from ?? end);
      if (found !== undefined) low.to = found.key;
      if (found !== undefined || next === undefined) return found;
      low.to = next.to;
      this.#stretches.splice(1, 1);
    }
  }

  /** The last group above the highest stretch, or in the gap below it; undefined if it is not newer than `than`. */
  #newest<Row extends { key: number }>(queue: Queue<Row>, end: number, than = 0): Row | undefined {
    const top = this.#stretches.at(-1)?.to ?? 0;
    const above = queue.last(top, end);
    if (above !== undefined) {
      if (above.key < than) return undefined;
      this.#stretches.push({ from: above.key, to: end - 1 });
      return above;
    }
    for (;;) {
      const high = this.#stretches.at(-1);
      const below = this.#stretches.at(-2);
      if (high === undefined || below === undefined) return undefined;
      const inGap = queue.last(below.to, high.from);
      if (inGap !== undefined) {
        if (inGap.key < than) return undefined;
        high.from = inGap.key;
        return inGap;
      }
      below.to = high.to;
      this.#stretches.pop();
    }
  }
}
