/** What was leased and is not settled: its size, and that each group is settled once. */

import type { HeldGroup, ShipRecord } from "./record.ts";
import type { LeasedGroup, ReadingSource, Settlement } from "./source.ts";

export class HeldGroups {
  readonly #source: Pick<ReadingSource, "settle">;
  readonly #groups = new Map<number, HeldGroup>();
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

  add({ groupKey, count, body }: LeasedGroup): HeldGroup {
    const group = { groupKey, count, bytes: body.length };
    // From a buffer file that was there before, and is never settled now.
    const earlier = this.#groups.get(groupKey);
    if (earlier !== undefined) this.#remove(earlier);
    this.#groups.set(groupKey, group);
    this.#bytes += group.bytes;
    this.#readings += count;
    return group;
  }

  settle({ groups }: Pick<ShipRecord, "groups">, settlement: Settlement): void {
    // All are let go of first: an error from the source must leave none held for ever.
    for (const { groupKey } of groups.filter((group) => this.#remove(group)))
      this.#source.settle(groupKey, settlement);
  }

  /** Gives back whatever is not settled. */
  giveBack(): void {
    this.settle({ groups: [...this.#groups.values()] }, { outcome: "again" });
  }

  /** False if another group has its key by now, which its answer must not settle. */
  #remove(group: HeldGroup): boolean {
    if (this.#groups.get(group.groupKey) !== group) return false;
    this.#groups.delete(group.groupKey);
    this.#bytes -= group.bytes;
    this.#readings -= group.count;
    return true;
  }
}
