/** A group's body: one gzip member of NDJSON, as it will travel. Its own CRC-32 tells whether it is what was stored. */

import { gunzipSync, gzipSync } from "node:zlib";

/** Largest body ever written, with ample room; what inflates to more is damaged. Bytes. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * NDJSON repeats itself line by line, so a small window finds nearly everything and costs less memory to set up: 17.6 B a
 * reading with 8 KiB, 18.0 with 32 KiB, in groups of a thousand.
 */
const WINDOW_BITS = 13;

/** The member is made in pieces of so many bytes: one for what lines come to, so that it need not be joined. */
function pieceBytes(lines: Uint8Array): number {
  return 256 + Math.floor(lines.length / 4);
}

export function packLines(lines: Uint8Array): Buffer {
  return gzipSync(lines, { level: 1, windowBits: WINDOW_BITS, chunkSize: pieceBytes(lines) });
}

/** The NDJSON of an intact body, or undefined if it is damaged. `chunkSize`: memory is taken in pieces of so many bytes. */
export function unpackLines(body: Uint8Array, chunkSize?: number): Buffer | undefined {
  try {
    return gunzipSync(body, { maxOutputLength: MAX_BODY_BYTES, chunkSize });
  } catch {
    return undefined;
  }
}

/** Like `unpackLines`, also undefined if the body has not `count` lines. */
export function unpackGroup({ body, count }: { body: Uint8Array; count: number }): Buffer | undefined {
  const lines = unpackLines(body);
  return lines !== undefined && countLines(lines) === count ? lines : undefined;
}

/**
 * The NDJSON of each group, undefined for a damaged one. All in one go, which costs half as much as one after the other;
 * only if that finds damage, each by itself.
 */
export function unpackGroups(groups: readonly { body: Buffer; count: number }[]): (Buffer | undefined)[] {
  const lengths = groups.map(({ body }) => (body.length < 4 ? 0 : body.readUInt32LE(body.length - 4)));
  const length = lengths.reduce((sum, each) => sum + each, 0);
  if (length > MAX_BODY_BYTES) return groups.map(unpackGroup);
  const all = unpackLines(Buffer.concat(groups.map(({ body }) => body)), length + 64);
  if (all?.length !== length) return groups.map(unpackGroup);
  let end = 0;
  const parts = lengths.map((each) => {
    end += each;
    return all.subarray(end - each, end);
  });
  const isWhole = groups.every(({ count }, index) => countLines(parts[index] ?? all) === count);
  return isWhole ? parts : groups.map(unpackGroup);
}

export function countLines(lines: Uint8Array): number {
  let count = 0;
  for (let at = lines.indexOf(0x0a); at !== -1; at = lines.indexOf(0x0a, at + 1)) count++;
  return count;
}
