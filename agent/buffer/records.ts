/** The rows on a table's leaf page, read without SQLite. */

import { MAX_BODY_BYTES } from "./codec.ts";
import { PAGE_BYTES } from "./connection.ts";
import { inBalance } from "./state.ts";
import type { GroupRow, RejectRow } from "./store.ts";

type Value = null | number | string | Buffer;
export type FoundRow = { group: GroupRow } | { reject: RejectRow; number: number } | { buffered: number };

const TABLE_LEAF = 0x0d;
/** The file's header stands before the first page's own. */
const FILE_HEADER_BYTES = 100;
const MOST_LOCAL = PAGE_BYTES - 35;
const LEAST_LOCAL = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23;
const OVERFLOW_BYTES = PAGE_BYTES - 4;

/** A reader of pages by number. */
export type ReadPage = (number: number) => Buffer | undefined;

export function isTableLeaf(page: Buffer, number: number): boolean {
  return page[number === 1 ? FILE_HEADER_BYTES : 0] === TABLE_LEAF;
}

/** The rows on a leaf that we know; `broken` counts cells that make no sense. */
export function readLeaf(page: Buffer, number: number, read: ReadPage): { rows: FoundRow[]; broken: number } {
  const header = number === 1 ? FILE_HEADER_BYTES : 0;
  const cells = page.readUInt16BE(header + 3);
  const rows: FoundRow[] = [];
  let broken = 0;
  for (let cell = 0; cell < cells; cell++) {
    const pointer = header + 8 + 2 * cell;
    try {
      const row = readCell(page, page.readUInt16BE(pointer), read);
      if (row !== undefined) rows.push(row);
    } catch {
      // A place outside the page, a length that can't be: the cell is damaged.
      broken++;
    }
    if (pointer > PAGE_BYTES) break;
  }
  return { rows, broken };
}

function readCell(page: Buffer, place: number, read: ReadPage): FoundRow | undefined {
  const size = varint(page, place);
  const rowid = varint(page, size.end);
  if (size.value > MAX_BODY_BYTES) throw new RangeError("a row larger than any we write");
  const payload = assemble(page, rowid.end, size.value, read);
  const values = readRecord(payload);
  return asGroup(rowid.value, values) ?? asReject(rowid.value, values) ?? asState(values);
}

/** The row's bytes, from the leaf and its overflow pages; shorter than `size` where the chain is broken. */
function assemble(page: Buffer, place: number, size: number, read: ReadPage): Buffer {
  const spread = LEAST_LOCAL + ((size - LEAST_LOCAL) % OVERFLOW_BYTES);
  const local = size <= MOST_LOCAL ? size : spread <= MOST_LOCAL ? spread : LEAST_LOCAL;
  const parts = [page.subarray(place, place + local)];
  let left = size - local;
  let next = left > 0 ? page.readUInt32BE(place + local) : 0;
  while (left > 0) {
    const overflow = read(next);
    if (overflow === undefined) break;
    parts.push(overflow.subarray(4, 4 + Math.min(left, OVERFLOW_BYTES)));
    left -= OVERFLOW_BYTES;
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

function readRecord(payload: Buffer): Value[] {
  const header = varint(payload, 0);
  const values: Value[] = [];
  let at = header.end;
  let place = header.value;
  while (at < header.value) {
    const type = varint(payload, at);
    const length = serialLength(type.value);
    values.push(readValue(payload.subarray(place, place + length), type.value, length));
    at = type.end;
    place += length;
  }
  return values;
}

const INTEGER_LENGTHS = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function serialLength(type: number): number {
  const length = type >= 12 ? (type - 12) >>> 1 : INTEGER_LENGTHS[type];
  if (length === undefined) throw new RangeError("a type that SQLite doesn't have");
  return length;
}

function readValue(bytes: Buffer, type: number, length: number): Value {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type >= 12) return type % 2 === 0 ? Buffer.from(bytes) : bytes.toString("utf8");
  if (bytes.length < length) throw new RangeError("a number that ends too early");
  if (type === 7) return bytes.readDoubleBE();
  return length === 8 ? Number(bytes.readBigInt64BE()) : bytes.readIntBE(0, length);
}

function asGroup(key: number, [id, ...values]: Value[]): FoundRow | undefined {
  const body = values.find((value) => Buffer.isBuffer(value));
  const numbers = values.filter((value) => value === null || typeof value === "number");
  const isGroup = id === null && body !== undefined && numbers.length === values.length - 1;
  if (!isGroup || (values.length !== 6 && values.length !== 4)) return undefined;
  const [count, bytes, received, codec = 0, crc = null] = numbers;
  if (typeof count !== "number" || typeof bytes !== "number" || typeof received !== "number")
    return undefined;
  if (typeof codec !== "number" || count < 1 || bytes < 1 || bytes > MAX_BODY_BYTES) return undefined;
  return { group: { key, count, bytes, received, codec, crc, body } };
}

function asReject(number: number, values: Value[]): FoundRow | undefined {
  const [id, received, count, bytes, reason, detail, topic, payload] = values;
  if (values.length !== 8 || id !== null || !Buffer.isBuffer(payload)) return undefined;
  if (typeof received !== "number" || typeof count !== "number" || typeof bytes !== "number")
    return undefined;
  if (typeof reason !== "string" || typeof detail !== "string" || typeof topic !== "string") return undefined;
  return { number, reject: { received, count, bytes, reason, detail, topic, payload } };
}

/** The accounts, for how many readings there ought to be. */
function asState(values: Value[]): FoundRow | undefined {
  const [received, buffered, shipped, rejected, dropped] = values.slice(7, 12).map(Number);
  if (values.length !== 14 || received === undefined || buffered === undefined) return undefined;
  if (shipped === undefined || rejected === undefined || dropped === undefined) return undefined;
  return inBalance({ received, buffered, shipped, rejected, dropped }) ? { buffered } : undefined;
}

function varint(bytes: Buffer, place: number): { value: number; end: number } {
  let value = 0n;
  for (let index = 0; index < 8; index++) {
    const byte = bytes.readUInt8(place + index);
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) return { value: Number(value), end: place + index + 1 };
  }
  value = (value << 8n) | BigInt(bytes.readUInt8(place + 8));
  return { value: Number(BigInt.asIntN(64, value)), end: place + 9 };
}
