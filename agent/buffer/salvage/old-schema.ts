/** Bodies of groups as the present schema stores them, and as schema 1 did: plain or deflated, with a CRC-32 beside them. */

import { crc32, inflateRawSync } from "node:zlib";
import { countLines, MAX_BODY_BYTES, unpackGroup } from "../gzip.ts";
import type { GroupRow } from "../store.ts";

export interface OldGroup extends GroupRow {
  /** 0: plain, 1: deflated. */
  codec: number;
  /** Of `body` as stored. */
  crc: number | null;
}

/** The NDJSON of an intact group, or undefined if it is damaged. */
export function unpackRow(row: GroupRow | OldGroup): Buffer | undefined {
  if (!("codec" in row)) return unpackGroup(row);
  if (row.crc === null || crc32(row.body) !== row.crc) return undefined;
  const lines = row.codec === 0 ? row.body : inflate(row.body);
  return lines !== undefined && countLines(lines) === row.count ? lines : undefined;
}

function inflate(body: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(body, { maxOutputLength: MAX_BODY_BYTES });
  } catch {
    return undefined;
  }
}
