/** What was leased and is not settled: its size, and that each group is settled once. */

import type { ShipRecord } from "./record.ts";
import type { LeasedGroup, ReadingSource } from "./source.ts";

export class HeldGroups {
  readonly #source: Pick<ReadingSource, "settle">;
  readonly #groups = new Map<number, LeasedGroup>();
  #bytes = 0;
  #readings = 0;

  constructor(source: Pick<ReadingSource, "settle">) {
    this.#source = source;
  }

  get size(): number {
    return this.#groups.size;
  }

  /** As leased. */
  get bytes(): number {
    return this.#bytes;
  }

  get readings(): number {
    return this.#readings;
  }

  add(groups: readonly LeasedGroup[]): void {
    for (const group of groups) {
      // From a buffer file that was there before, and is never settled now.
      const earlier = this.#groups.get(group.groupKey);
      if (earlier !== undefined) this.#remove(earlier);
      this.#groups.set(group.groupKey, group);
      this.#bytes += group.body.length;
      this.#readings += group.count;
    }
  }

  accepted({ groups }: ShipRecord): void {
    for (const group of groups) {
      if (this.#remove(group)) this.#source.settle(group.groupKey, { outcome: "delivered" });
    }
  }

  /** It can never be delivered. */
  refuse(group: LeasedGroup, detail: string): void {
    if (this.#remove(group)) this.#source.settle(group.groupKey, { outcome: "refused", detail });
  }

  /** Gives back whatever is not settled. */
  giveBack(): void {
    for (const group of [...this.#groups.values()]) {
      this.#remove(group);
      this.#source.settle(group.groupKey, { outcome: "again" });
    }
  }

  /** False if another group has its key by now, which its answer must not settle. */
  #remove(group: LeasedGroup): boolean {
    if (this.#groups.get(group.groupKey) !== group) return false;
    this.#groups.delete(group.groupKey);
    this.#bytes -= group.body.length;
    this.#readings -= group.count;
    return true;
  }
}
