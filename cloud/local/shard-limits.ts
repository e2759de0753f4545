/** What a shard takes a second: 1 MB and 1 000 records. kinesis-local takes anything, so with --like-aws we count. */

import { createHash } from "node:crypto";

export interface Shard {
  id: string;
  /** The keys it takes, both ends included (HashKeyRange). */
  first: bigint;
  last: bigint;
}

/** A put record as the shard counts it. */
export interface Weighed {
  partitionKey: string;
  /** In the partition key's place, where it is given. */
  hashKey: string | undefined;
  bytes: number;
}

export const SHARD_LIMITS = { bytes: 1024 * 1024, records: 1_000 } as const;

interface Room {
  bytes: number;
  records: number;
  atMs: number;
}

export class ShardLimits {
  readonly #now: () => number;
  #shards: readonly Shard[] = [];
  readonly #rooms = new Map<string, Room>();

  /** @param now ms of any clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The open shards, at first and whenever they changed. */
  follow(shards: readonly Shard[]): void {
    this.#shards = shards;
  }

  /** The id of the shard that is full, or undefined where it takes the record, which then counts. */
  fullShard(record: Weighed): string | undefined {
    const key = record.hashKey === undefined ? hashOf(record.partitionKey) : BigInt(record.hashKey);
    const id = this.#shards.find(({ first, last }) => first <= key && key <= last)?.id;
    if (id === undefined) return undefined;
    const room = this.#roomOf(id);
    if (room.records < 1 || room.bytes < record.bytes) return id;
    room.records--;
    room.bytes -= record.bytes;
    return undefined;
  }

  #roomOf(id: string): Room {
    const now = this.#now();
    const before = this.#rooms.get(id) ?? { ...SHARD_LIMITS, atMs: now };
    const seconds = (now - before.atMs) / 1_000;
    const room = {
      bytes: Math.min(SHARD_LIMITS.bytes, before.bytes + seconds * SHARD_LIMITS.bytes),
      records: Math.min(SHARD_LIMITS.records, before.records + seconds * SHARD_LIMITS.records),
      atMs: now,
    };
    this.#rooms.set(id, room);
    return room;
  }
}

/** A partition key's place among the shards: its MD5 as a number. */
function hashOf(partitionKey: string): bigint {
  return BigInt(`0x${createHash("md5").update(partitionKey).digest("hex")}`);
}
