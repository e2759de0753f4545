/** Readings to ship, held in memory: a source whose every lease and settlement can be looked at. */

import { gunzipSync, gzipSync } from "node:zlib";
import type { LeasedGroup, ReadingSource, Settlement } from "../../agent/ship/source.ts";

export class LineSource implements ReadingSource {
  readonly #groups = new Map<number, LeasedGroup>();
  readonly #leased = new Set<number>();
  #nextSeq = 1;
  #ready: () => void = () => {};
  #waiters: { done: () => boolean; resolve: () => void }[] = [];
  readonly settlements: { groupKey: number; settlement: Settlement; lines: string[] }[] = [];
  /** Called at each settlement, with the lines of the group. */
  onSettle: (settlement: Settlement, lines: string[]) => void = () => {};
  leases = 0;
  /** Most bytes that were leased and not settled at once. */
  mostLeasedBytes = 0;

  get unsettled(): number {
    return this.#groups.size;
  }

  get leased(): number {
    return this.#leased.size;
  }

  /** Of groups that are not settled. */
  get bytes(): number {
    let bytes = 0;
    for (const { body } of this.#groups.values()) bytes += body.length;
    return bytes;
  }

  #leasedBytes(): number {
    let bytes = 0;
    for (const key of this.#leased) bytes += this.#groups.get(key)?.body.length ?? 0;
    return bytes;
  }

  add(lines: readonly string[]): number {
    const groupKey = this.#nextSeq;
    this.#nextSeq += Math.max(1, lines.length);
    const text = Buffer.from(lines.join(""));
    const body = gzipSync(text, { level: 1 });
    this.#groups.set(groupKey, { groupKey, count: lines.length, receivedMs: Date.now(), body, lines: text });
    this.#ready();
    return groupKey;
  }

  lease(maxBytes: number, end: "oldest" | "newest" = "oldest"): LeasedGroup[] {
    this.leases++;
    const taken: LeasedGroup[] = [];
    let bytes = 0;
    const groups = [...this.#groups.values()];
    for (const group of end === "newest" ? groups.reverse() : groups) {
      if (this.#leased.has(group.groupKey)) continue;
      if (taken.length > 0 && bytes + group.body.length > maxBytes) break;
      bytes += group.body.length;
      this.#leased.add(group.groupKey);
      taken.push(group);
    }
    this.mostLeasedBytes = Math.max(this.mostLeasedBytes, this.#leasedBytes());
    this.#tellWaiters();
    return taken.sort((one, other) => one.groupKey - other.groupKey);
  }

  settle(groupKey: number, settlement: Settlement): void {
    const group = this.#groups.get(groupKey);
    if (group === undefined || !this.#leased.delete(groupKey)) {
      throw new TypeError(`group ${groupKey} was settled without being leased`);
    }
    const lines = splitLines(gunzipSync(group.body).toString());
    this.settlements.push({ groupKey, settlement, lines });
    if (settlement.outcome !== "again") this.#groups.delete(groupKey);
    this.onSettle(settlement, lines);
    this.#tellWaiters();
  }

  #tellWaiters(): void {
    this.#waiters = this.#waiters.filter(({ done, resolve }) => {
      if (!done()) return true;
      resolve();
      return false;
    });
  }

  onReady(listener: () => void): void {
    this.#ready = listener;
  }

  accounts(): { buffered: number } {
    let buffered = 0;
    for (const { count } of this.#groups.values()) buffered += count;
    return { buffered };
  }

  /** Resolves once `done` holds, looked at after each lease and settlement. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ done, resolve }));
  }

  /** Resolves once everything is delivered or refused. */
  empty(): Promise<void> {
    return this.until(() => this.#groups.size === 0);
  }
}

export function splitLines(text: string): string[] {
  return text.split(/(?<=\n)/);
}
