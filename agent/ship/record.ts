/**
 * A Kinesis record: one or more gzip members, each of whole lines. It is made of whole groups, and a group is in one
 * record only, so that a record's acceptance settles its groups and nothing has to be counted.
 *
 * A group is a gzip member already, so records are put together without inflating. Where groups are small (a trickle),
 * neighbours are inflated and packed anew into one member, which takes a third of the bytes.
 */

import { gunzipSync, gzipSync } from "node:zlib";
import type { LeasedGroup } from "./source.ts";

export interface ShipRecord {
  /** Partition key. */
  key: string;
  data: Buffer;
  /** Readings inside. */
  readings: number;
  groups: readonly LeasedGroup[];
  /** How often it alone was refused, for another reason than throttling. */
  refusals: number;
}

/** Smaller members are packed anew with their neighbours, bytes. */
const SMALL_MEMBER_BYTES = 3 * 1024;
/** Lines packed into one member, bytes: a few milliseconds, in which no sensor is served. */
const MEMBER_LINES_BYTES = 384 * 1024;
/** With a window of 8 KiB, lines that repeat each other come out smaller than with 32, in three quarters of the time. */
const PACKING = { level: 6, windowBits: 13, chunkSize: 32 * 1024 };

/** A record of `groups`, with another key than any other. */
export function recordOf(groups: readonly LeasedGroup[], newKey: () => string): ShipRecord {
  const readings = groups.reduce((sum, { count }) => sum + count, 0);
  return { key: newKey(), data: membersOf(groups), readings, groups, refusals: 0 };
}

/** The same groups in records of at most `maxBytes`, or of one group where that is larger. */
export function cutAnew(record: ShipRecord, maxBytes: number, newKey: () => string): ShipRecord[] {
  const { data, groups } = record;
  if (data.length <= maxBytes || groups.length === 1) return [record];
  const middle = groups.length >> 1;
  return [groups.slice(0, middle), groups.slice(middle)].flatMap((half) =>
    cutAnew(recordOf(half, newKey), maxBytes, newKey),
  );
}

/** A record's share of a request's limits, bytes. */
export function sizeOf({ data, key }: { data: Buffer; key: string }): number {
  return data.length + key.length;
}

/** A line as a gzip member. */
export function memberOf(line: string): Buffer {
  return gzipSync(line, PACKING);
}

function membersOf(groups: readonly LeasedGroup[]): Buffer {
  const members: Buffer[] = [];
  let run: Buffer[] = [];
  let runBytes = 0;
  const endRun = () => {
    members.push(...packAnew(run));
    run = [];
    runBytes = 0;
  };
  for (const { body } of groups) {
    if (body.length >= SMALL_MEMBER_BYTES) endRun();
    if (body.length >= SMALL_MEMBER_BYTES) {
      members.push(body);
      continue;
    }
    run.push(body);
    runBytes += inflatedBytes(body);
    if (runBytes >= MEMBER_LINES_BYTES) endRun();
  }
  endRun();
  return members.length === 1 && members[0] !== undefined ? members[0] : Buffer.concat(members);
}

/** One member in place of many; inflating them in one go is many times cheaper than one by one. */
function packAnew(members: readonly Buffer[]): readonly Buffer[] {
  if (members.length < 2) return members;
  try {
    return [gzipSync(gunzipSync(Buffer.concat(members)), PACKING)];
  } catch {
    // A member is damaged: they travel as they are, and whoever reads them passes over that one alone.
    return members;
  }
}

/** The last four bytes of a member tell how long its content is. */
function inflatedBytes(member: Buffer): number {
  return member.length < 4 ? 0 : member.readUInt32LE(member.length - 4);
}
