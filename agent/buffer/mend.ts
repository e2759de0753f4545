/**
 * What can be saved of a group whose bytes are not those that were stored.
 *
 * One flipped bit is put right: CRC-32 is linear, so a single flip at a place changes the sum in a way that no other place
 * does, and the place can be found. Of anything worse the lines are taken that are whole readings.
 */

import { crc32, inflateRawSync } from "node:zlib";
import { DEFLATED, decodeBody, encodeBody, MAX_BODY_BYTES, PLAIN } from "./codec.ts";
import { readableLines } from "./lines.ts";
import type { GroupRow } from "./store.ts";

export interface Mended {
  row: GroupRow;
  /** NDJSON, inflated. */
  body: Buffer;
  /** Readings that could not be saved. */
  lost: number;
}

export function mendGroup(row: GroupRow): Mended {
  const repaired = repairBit(row);
  const whole = repaired === undefined ? undefined : decodeBody(repaired);
  if (repaired !== undefined && whole !== undefined) return { row: repaired, body: whole, lost: 0 };
  const body = readableLines(inflateSome(row));
  const count = Math.min(countLines(body), row.count);
  const encoded = encodeBody(body);
  return { row: { ...row, ...encoded, count, bytes: body.length }, body, lost: row.count - count };
}

/** The row with the one bit put right that explains its checksum; undefined where no single bit does. */
export function repairBit(row: GroupRow): GroupRow | undefined {
  if (row.crc === null) return undefined;
  const difference = (crc32(row.body) ^ row.crc) >>> 0;
  const bit = flippedBit(difference, row.body.length);
  if (bit === undefined) return undefined;
  const body = Buffer.from(row.body);
  body.writeUInt8(body.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
  return crc32(body) === row.crc ? { ...row, body } : undefined;
}

const POLYNOMIAL = 0xedb88320;

/** Number of the bit, counted from the first byte's lowest, whose flip changes the CRC of `length` bytes by `difference`. */
function flippedBit(difference: number, length: number): number | undefined {
  // A flip of the last byte's highest bit changes the sum by the polynomial; each place before that, by one more step.
  let effect = POLYNOMIAL;
  for (let bit = length * 8 - 1; bit >= 0; bit--) {
    if (effect === difference) return bit;
    effect = (effect & 1) === 1 ? (effect >>> 1) ^ POLYNOMIAL : effect >>> 1;
    effect >>>= 0;
  }
  return undefined;
}

/** As much of the NDJSON as can be had, the damaged part included. */
function inflateSome(row: GroupRow): Buffer {
  if (row.codec === PLAIN) return row.body;
  if (row.codec !== DEFLATED) return Buffer.alloc(0);
  return inflatePrefix(row.body);
}

/** What deflated bytes give before the first one that makes no sense. */
export function inflatePrefix(deflated: Buffer): Buffer {
  // zlib gives nothing at all when it stumbles, so the longest prefix that it can read is sought by halving.
  const inflate = (length: number): Buffer | undefined => {
    try {
      // SYNC_FLUSH: an end that comes too early is no error.
      return inflateRawSync(deflated.subarray(0, length), {
        finishFlush: 2,
        maxOutputLength: MAX_BODY_BYTES,
      });
    } catch {
      return undefined;
    }
  };
  const whole = inflate(deflated.length);
  if (whole !== undefined) return whole;
  let [good, bad] = [0, deflated.length];
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (inflate(middle) === undefined) bad = middle;
    else good = middle;
  }
  return inflate(good) ?? Buffer.alloc(0);
}

function countLines(body: Buffer): number {
  let count = 0;
  for (const byte of body) if (byte === 0x0a) count++;
  return count;
}
