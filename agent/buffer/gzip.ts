/** A group's body: one gzip member of NDJSON, as it will travel. Its own CRC-32 tells whether it is what was stored. */

import { gunzipSync, gzipSync } from "node:zlib";

/** Largest body ever written, with ample room; what inflates to more is damaged. Bytes. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * NDJSON repeats itself line by line, so a small window finds nearly everything and costs less memory to set up: 17.6 B a
 * reading with 8 KiB, 18.0 with 32 KiB, in groups of a thousand.
 */
const WINDOW_BITS = 13;

export function packLines(lines: Uint8Array): Buffer {
  return gzipSync(lines, { level: 1, windowBits: WINDOW_BITS });
}

/** The NDJSON of an intact body, or undefined if it is damaged. */
export function unpackLines(body: Uint8Array): Buffer | undefined {
  try {
    return gunzipSync(body, { maxOutputLength: MAX_BODY_BYTES });
  } catch {
    return undefined;
  }
}

/** Like `unpackLines`, also undefined if the body has not `count` lines. */
export function unpackGroup({ body, count }: { body: Uint8Array; count: number }): Buffer | undefined {
  const lines = unpackLines(body);
  return lines !== undefined && countLines(lines) === count ? lines : undefined;
}

export function countLines(lines: Uint8Array): number {
  let count = 0;
  for (let at = lines.indexOf(0x0a); at !== -1; at = lines.indexOf(0x0a, at + 1)) count++;
  return count;
}
