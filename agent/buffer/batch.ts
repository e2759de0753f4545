/** What one transaction adds: a group of readings, or rejects, or both, and who waits for it. */

import type { Rejection } from "../contract/rejection.ts";
import { PAGE_BYTES } from "./connection.ts";
import type { RejectRow } from "./store.ts";
import type { Stored } from "./types.ts";

/** Charged for a reject besides what it holds, bytes. */
const REJECT_OVERHEAD = 64;
/** A row longer than this may continue on pages of its own. */
const MOST_LOCAL = PAGE_BYTES - 128;
/** Bytes of a page that an overflow chain fills. */
const USABLE_BYTES = PAGE_BYTES - 4;

export interface Batch {
  /** `seq` of the first reading. */
  firstSeq: number;
  count: number;
  /** Inflated, with the rejects'. */
  bytes: number;
  receivedMs: number;
  /** One gzip member; empty if there are no readings. */
  body: Buffer;
  rejects: RejectRow[];
  stored: Stored[];
}

/** Pages the batch needs at most, the tables' inner pages included. */
export function pagesFor({ count, body: { length }, rejects }: Batch): number {
  const body = count === 0 ? 0 : 1 + Math.ceil(length / USABLE_BYTES);
  return body + pagesOfRows(rejects.map(({ bytes }) => bytes)) + 3;
}

/** Pages that rows of these lengths need at most, one after the other: short ones share a page, and waste less than half. */
export function pagesOfRows(lengths: readonly number[]): number {
  const overflow = lengths.reduce(
    (sum, length) => sum + (length > MOST_LOCAL ? Math.ceil(length / USABLE_BYTES) : 0),
    0,
  );
  const local = lengths.reduce((sum, length) => sum + Math.min(length, PAGE_BYTES), 0);
  return overflow + Math.ceil((2 * local) / PAGE_BYTES);
}

/** A message that can't be understood, as it will lie in the lane; its payload is copied, up to `maxPayloadBytes`. */
export function rejectRow(rejection: Rejection, receivedMs: number, maxPayloadBytes: number): RejectRow {
  const payload = Buffer.from(rejection.payload.subarray(0, maxPayloadBytes));
  const { reason, topic, dup } = rejection;
  const { length } = rejection.payload;
  const cut = payload.length < length ? ` (the first ${payload.length} of its ${length} bytes are kept)` : "";
  const detail = `${rejection.detail}${cut}`;
  const bytes = rejectBytes(payload, topic, detail);
  return { received: receivedMs, count: 1, bytes, reason, detail, topic, payload, dup: dup ? 1 : 0 };
}

export function rejectBytes(payload: Buffer, topic: string, detail: string): number {
  return payload.length + topic.length + detail.length + REJECT_OVERHEAD;
}
