/**
 * Which leased groups still have something under way.
 *
 * A record may carry readings of several groups and a group may fill several records. Invariants:
 *  1. A group is settled exactly once.
 *  2. It is settled as delivered only when it was cut to its end and every record carrying a part of it was accepted.
 *  3. `heldBytes` is the size of all groups not settled.
 */

import type { LeasedGroup, ReadingSource } from "./source.ts";

export interface GroupProgress {
  groupKey: number;
  bytes: number;
  /** Records that carry a part of it and were not accepted yet. */
  parts: number;
  /** True once all of it is in records. */
  cut: boolean;
}

/** One Kinesis record; sent again with the very same bytes and key until it is accepted. */
export interface ShipRecord {
  key: string;
  data: Buffer;
  /** Readings inside. */
  readings: number;
  groups: readonly GroupProgress[];
}

export class Ledger {
  readonly #source: Pick<ReadingSource, "settle">;
  readonly #open = new Set<GroupProgress>();
  #heldBytes = 0;

  constructor(source: Pick<ReadingSource, "settle">) {
    this.#source = source;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get size(): number {
    return this.#open.size;
  }

  open(group: LeasedGroup): GroupProgress {
    const progress = { groupKey: group.groupKey, bytes: group.body.length, parts: 0, cut: false };
    this.#open.add(progress);
    this.#heldBytes += progress.bytes;
    return progress;
  }

  /** All of the group is in records now. */
  closeCut(progress: GroupProgress): void {
    progress.cut = true;
    this.#settleIfDone(progress);
  }

  /** None of the group was put into records, nor can it ever be. */
  refuse(progress: GroupProgress, detail: string): void {
    this.#close(progress);
    this.#source.settle(progress.groupKey, { outcome: "refused", detail });
  }

  accepted(record: ShipRecord): void {
    for (const progress of record.groups) {
      progress.parts--;
      this.#settleIfDone(progress);
    }
  }

  /** Gives back whatever is not settled. */
  giveBack(): void {
    for (const progress of [...this.#open]) {
      this.#close(progress);
      this.#source.settle(progress.groupKey, { outcome: "again" });
    }
  }

  #settleIfDone(progress: GroupProgress): void {
    if (!progress.cut || progress.parts > 0 || !this.#open.has(progress)) return;
    this.#close(progress);
    this.#source.settle(progress.groupKey, { outcome: "delivered" });
  }

  #close(progress: GroupProgress): void {
    this.#open.delete(progress);
    this.#heldBytes -= progress.bytes;
  }
}
