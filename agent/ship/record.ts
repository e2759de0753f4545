/**
 * A Kinesis record: one or more gzip members, each of whole lines. It is made of whole groups, and a group is in one
 * record only, so that a record's acceptance settles its groups and nothing has to be counted.
 *
 * A group is a gzip member already, so records are put together as they are. Where groups are small (a trickle), the lines
 * of neighbours are packed anew into one member, which takes a third of the bytes.
 */

import { gzipSync } from "node:zlib";
import type { LeasedGroup } from "./source.ts";

/** A group without what is in it: that is in a record by now. */
export interface HeldGroup {
  groupKey: number;
  count: number;
  /** As leased. */
  bytes: number;
}

export interface ShipRecord {
  /** Partition key. */
  key: string;
  data: Buffer;
  /** Readings inside. */
  readings: number;
  /** When the newest group in it was received, ms since 1970. */
  newestMs: number;
  groups: readonly HeldGroup[];
  /** How often it alone was refused, for another reason than throttling. */
  refusals: number;
}

/** Smaller members are packed anew with their neighbours, bytes. */
const SMALL_MEMBER_BYTES = 3 * 1024;
/** Lines packed into one member, bytes: a few milliseconds, in which no sensor is served. */
const MEMBER_LINES_BYTES = 384 * 1024;
/** A window of 2 KiB holds the dozen lines that a line repeats; where they lie takes fewer bits to say than in a larger one. */
const PACKING = { level: 6, windowBits: 11, chunkSize: 32 * 1024 };

/** A record's share of a request's limits, bytes. */
export function sizeOf({ data, key }: { data: Buffer; key: string }): number {
  return data.length + key.length;
}

/** Lines as a gzip member. */
export function memberOf(lines: string | Buffer): Buffer {
  return gzipSync(lines, PACKING);
}

/** All of the groups' lines, in order. */
export function membersOf(groups: readonly Pick<LeasedGroup, "body" | "lines">[]): Buffer {
  const members: Buffer[] = [];
  let run: Pick<LeasedGroup, "body" | "lines">[] = [];
  let runBytes = 0;
  const endRun = () => {
    const [first, ...others] = run;
    if (first !== undefined)
      members.push(others.length === 0 ? first.body : memberOf(Buffer.concat(run.map(({ lines }) => lines))));
    run = [];
    runBytes = 0;
  };
  for (const group of groups) {
    const isSmall = group.body.length < SMALL_MEMBER_BYTES;
    if (!isSmall || runBytes >= MEMBER_LINES_BYTES) endRun();
    if (isSmall) {
      run.push(group);
      runBytes += group.lines.length;
    } else members.push(group.body);
  }
  endRun();
  return members.length === 1 && members[0] !== undefined ? members[0] : Buffer.concat(members);
}
