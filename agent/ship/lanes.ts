/**
 * Which readings leave next. Whenever a flush is due, what came since the last one leaves from the newest end of the source,
 * before everything else; in between, whole records leave from the oldest end. So what is new is in the cloud within two
 * flush intervals however much waits, and what waits takes all the rest. Order is of no matter to the lake.
 */

import type { HeldGroups } from "./held.ts";
import { membersOf, type ShipRecord } from "./record.ts";
import { MAX_HELD_BYTES, MAX_RECORD_BYTES, type ShipSettings } from "./settings.ts";
import type { LeasedGroup, ReadingSource } from "./source.ts";

/** Members packed anew are to fill one PUT unit of 25 KB, bytes. More would also hold up the sensors. */
const PACKED_BYTES = 24 * 1024;
/** What a record has to have left for the gateway's state, bytes. */
const STATE_BYTES = 2 * 1024;
/** What a reading takes at least, before any was seen, bytes. */
const LEAST_READING_BYTES = 20;
/** Largest group that fits into a record, bytes. */
export const MAX_GROUP_BYTES = MAX_RECORD_BYTES - STATE_BYTES;

export interface LanesDeps {
  source: ReadingSource;
  held: HeldGroups;
  monotonicMs: () => number;
  newKey: () => string;
  /** Bytes a record should have at most, on the link as it is. */
  recordBytes: () => number;
  /** A group that fits no record. */
  refuse: (group: LeasedGroup) => void;
  leaseFailed: (error: unknown) => void;
}

export class Lanes {
  readonly #settings: Pick<ShipSettings, "flushEveryMs">;
  readonly #deps: LanesDeps;
  #dueMs: number | undefined;
  /** Something was announced since a lease came back empty. */
  #announced = false;
  /** Newest group of the last flush, and of the one under way. */
  #flushedKey: number | undefined;
  #flushingKey: number | undefined;
  /** Bytes as stored for a byte as sent, as last seen. */
  #packing = 1;
  #storedReadingBytes: number | undefined;

  constructor(settings: Pick<ShipSettings, "flushEveryMs">, deps: LanesDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  /** There may be something new. */
  announce(): void {
    this.#announced = true;
    this.#dueMs ??= this.#deps.monotonicMs() + this.#settings.flushEveryMs;
  }

  /** Milliseconds until a flush is due; Infinity where nothing waits, or no more can be held. */
  get dueInMs(): number {
    if (this.#deps.held.bytes >= MAX_HELD_BYTES) return Number.POSITIVE_INFINITY;
    return Math.max(0, (this.#dueMs ?? Number.POSITIVE_INFINITY) - this.#deps.monotonicMs());
  }

  /** Readings that wait in the source and are not held. */
  get waiting(): number {
    return Math.max(0, this.#deps.source.accounts().buffered - this.#deps.held.readings);
  }

  /** Readings that wait behind those of the present flush: 0 where less than a record's worth does. */
  get backlog(): number {
    return this.#waitsLong ? this.waiting : 0;
  }

  /** Of a reading, as last leased. */
  get storedReadingBytes(): number | undefined {
    return this.#storedReadingBytes;
  }

  /** A live record where a flush is due. Undefined: there is none, or too much is held. */
  live(): ShipRecord | undefined {
    if (this.dueInMs > 0) return undefined;
    const groups = this.#lease("newest");
    const record = this.#record(groups);
    this.#flushingKey ??= groups.at(-1)?.groupKey;
    const first = groups[0]?.groupKey ?? Number.NEGATIVE_INFINITY;
    if (this.#flushedKey === undefined || first <= this.#flushedKey || this.waiting === 0) this.#flushed();
    return record;
  }

  /** A record of the backlog, where at least a whole one waits. */
  old(): ShipRecord | undefined {
    const { held } = this.#deps;
    if (!this.#waitsLong || held.bytes >= MAX_HELD_BYTES / 2) return undefined;
    return this.#record(this.#lease("oldest"));
  }

  /** Flushes as soon as it is asked. */
  flushNow(): void {
    this.#dueMs = this.#deps.monotonicMs();
  }

  get #waitsLong(): boolean {
    return (
      this.#announced && this.waiting * (this.#storedReadingBytes ?? LEAST_READING_BYTES) >= this.#leaseBytes
    );
  }

  get #leaseBytes(): number {
    const bytes = Math.min(this.#deps.recordBytes(), MAX_GROUP_BYTES);
    return this.#packing > 1 ? Math.min(bytes, PACKED_BYTES) * this.#packing : bytes;
  }

  #lease(end: "oldest" | "newest"): LeasedGroup[] {
    const { source, leaseFailed } = this.#deps;
    let groups: LeasedGroup[] = [];
    try {
      groups = source.lease(this.#leaseBytes, end);
    } catch (error) {
      leaseFailed(error);
    }
    this.#announced = groups.length > 0;
    return groups;
  }

  #flushed(): void {
    this.#flushedKey = this.#flushingKey ?? this.#flushedKey;
    this.#flushingKey = undefined;
    // Asked again also if the source gave nothing: it may have been unreadable.
    const more = this.waiting > 0;
    this.#dueMs = more ? this.#deps.monotonicMs() + this.#settings.flushEveryMs : undefined;
  }

  #record(leased: readonly LeasedGroup[]): ShipRecord | undefined {
    const { held, newKey, refuse } = this.#deps;
    for (const group of leased.filter(({ body }) => body.length > MAX_GROUP_BYTES)) refuse(group);
    const groups = leased.filter(({ body }) => body.length <= MAX_GROUP_BYTES);
    if (groups.length === 0) return undefined;
    const data = membersOf(groups);
    const bytes = groups.reduce((sum, { body }) => sum + body.length, 0);
    const readings = groups.reduce((sum, { count }) => sum + count, 0);
    const newestMs = groups.reduce((newest, { receivedMs }) => Math.max(newest, receivedMs), 0);
    this.#packing = Math.max(1, bytes / data.length);
    this.#storedReadingBytes = bytes / Math.max(1, readings);
    return {
      key: newKey(),
      data,
      readings,
      newestMs,
      groups: groups.map((group) => held.add(group)),
      refusals: 0,
    };
  }
}
