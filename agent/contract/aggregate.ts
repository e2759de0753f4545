/**
 * The KPL aggregated record: several readings in one Kinesis record.
 *
 *   F3 89 9A C2 | AggregatedRecord (protobuf) | MD5 of the protobuf, 16 bytes
 *   AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2;
 *                      repeated Record records = 3 }
 *   Record           { required uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2;
 *                      required bytes data = 3; repeated Tag tags = 4 }
 *
 * Source: the format's description in the Kinesis Producer Library. Every reading inside carries the record's own
 * partition key, because a consumer may drop one whose key falls outside the record's shard.
 */

import { createHash } from "node:crypto";

const MAGIC = Buffer.from([0xf3, 0x89, 0x9a, 0xc2]);
const DIGEST_BYTES = 16;
const KEY_TABLE = 0x0a;
const RECORD = 0x1a;
const KEY_INDEX = 0x08;
const DATA = 0x1a;

/** Bytes a record of `partitionKey` has before its first reading, and after its last. */
export function aggregateOverhead(partitionKey: string): number {
  const key = Buffer.byteLength(partitionKey);
  return MAGIC.length + 1 + varintLength(key) + key + DIGEST_BYTES;
}

/** Bytes a reading of `dataBytes` takes inside a record. */
export function aggregatedLength(dataBytes: number): number {
  const inner = 2 + 1 + varintLength(dataBytes) + dataBytes;
  return 1 + varintLength(inner) + inner;
}

/** Bytes of readings there is always room for; more is found for a larger body, and given up with the next. */
const SOURCE_BYTES = 256 * 1024;

/**
 * Fills one record after the other in the same memory. What is to go into them lies behind: moving bytes within one
 * memory makes no object, and a view for each reading was a tenth of what shipping costs.
 */
export class AggregateWriter {
  /** The record, and from `#capacity` on the readings. */
  #memory: Buffer;
  readonly #capacity: number;
  #end = 0;
  #start = 0;
  /** Readings in the record so far. */
  count = 0;

  /** `capacity`: the largest record, in bytes. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#memory = Buffer.allocUnsafeSlow(capacity + SOURCE_BYTES);
  }

  /** Takes the bytes that `add` speaks of. The record goes on. */
  load(source: Uint8Array): void {
    const bytes = this.#capacity + Math.max(source.length, SOURCE_BYTES);
    if (this.#memory.length !== bytes) {
      const memory = Buffer.allocUnsafeSlow(bytes);
      memory.set(this.#memory.subarray(0, this.#end));
      this.#memory = memory;
    }
    this.#memory.set(source, this.#capacity);
  }

  /** Opens a record. */
  begin(partitionKey: string): void {
    this.count = 0;
    MAGIC.copy(this.#memory);
    this.#end = MAGIC.length;
    this.#start = this.#end;
    this.#memory[this.#end++] = KEY_TABLE;
    this.#varint(Buffer.byteLength(partitionKey));
    this.#end += this.#memory.write(partitionKey, this.#end);
  }

  /** Adds what was loaded, from `from` to `to`; false where the record has no room for it. */
  add(from: number, to: number): boolean {
    const length = to - from;
    if (this.#end + aggregatedLength(length) + DIGEST_BYTES > this.#capacity) return false;
    this.#memory[this.#end++] = RECORD;
    this.#varint(2 + 1 + varintLength(length) + length);
    this.#memory[this.#end++] = KEY_INDEX;
    this.#memory[this.#end++] = 0;
    this.#memory[this.#end++] = DATA;
    this.#varint(length);
    this.#memory.copyWithin(this.#end, this.#capacity + from, this.#capacity + to);
    this.#end += length;
    this.count++;
    return true;
  }

  /** Closes the record; a copy of its bytes, in `memory` of at least its capacity where that is given. */
  finish(memory?: Buffer): Buffer {
    const body = this.#memory.subarray(this.#start, this.#end);
    createHash("md5").update(body).digest().copy(this.#memory, this.#end);
    const record = this.#memory.subarray(0, this.#end + DIGEST_BYTES);
    if (memory === undefined) return Buffer.from(record);
    memory.set(record);
    return memory.subarray(0, record.length);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#memory[this.#end++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#memory[this.#end++] = rest;
  }
}

export interface UserRecord {
  partitionKey: string;
  data: Buffer;
}

/** The readings inside an aggregated record, or undefined where `record` is not one (magic or digest differ). */
export function deaggregate(record: Uint8Array): UserRecord[] | undefined {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  if (bytes.length < MAGIC.length + DIGEST_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    return undefined;
  const body = bytes.subarray(MAGIC.length, bytes.length - DIGEST_BYTES);
  const digest = createHash("md5").update(body).digest();
  if (!digest.equals(bytes.subarray(bytes.length - DIGEST_BYTES))) return undefined;
  const keys: string[] = [];
  const records: UserRecord[] = [];
  for (const [field, value] of protobufFields(body)) {
    if (field === 1 && typeof value !== "number") keys.push(value.toString());
    if (field === 3 && typeof value !== "number") records.push(userRecord(value, keys));
  }
  return records;
}

function userRecord(bytes: Buffer, keys: readonly string[]): UserRecord {
  let index = 0;
  let data: Buffer = Buffer.alloc(0);
  for (const [field, value] of protobufFields(bytes)) {
    if (field === 1 && typeof value === "number") index = value;
    if (field === 3 && typeof value !== "number") data = value;
  }
  return { partitionKey: keys[index] ?? "", data };
}

/** Field number and value of each varint and each length-delimited field; throws a RangeError on anything else. */
function* protobufFields(bytes: Buffer): Generator<[number, number | Buffer]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError("the aggregated record ends inside a number");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const length = varint();
    if ((tag & 7) === 0) {
      yield [tag >>> 3, length];
    } else if ((tag & 7) === 2 && at + length <= bytes.length) {
      yield [tag >>> 3, bytes.subarray(at, at + length)];
      at += length;
    } else {
      throw new RangeError(`the aggregated record has a field of wire type ${tag & 7}`);
    }
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}
