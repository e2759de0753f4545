/**
 * SQLite's log, read with our own eyes. SQLite passes silently over a log that it can't read and over everything behind the
 * first frame whose checksum is wrong: right after a power cut, fatal where the card has lost a bit.
 */

import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { PAGE_BYTES } from "./connection.ts";
import { READ_DISK, type ReadSectors, readPiece } from "./sectors.ts";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES;
/** The lowest bit tells the byte order of the checksums. */
const MAGIC = 0x377f0682;

/**
 * clean: SQLite will read all there is. torn: it ends inside one transaction, as after a power cut; that one was either
 * never acknowledged or is damaged. damaged: committed transactions can't be read, or the disk does not give a part of it.
 */
export type LogCondition = "clean" | "torn" | "damaged";

/** The condition of the log beside the file at `path`; a file without one is clean. */
export function inspectLog(path: string, read: ReadSectors = READ_DISK): LogCondition {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return "clean";
  const log = openSync(`${path}-wal`, "r");
  try {
    // A log beside no file, or beside an empty one, is deleted by SQLite unread.
    const orphan = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
    return orphan ? "damaged" : condition(log, read);
  } finally {
    closeSync(log);
  }
}

/** How long a disk may take over frames that it refuses in the end before the rest of a log is given up, ms. */
const MAX_REFUSING_MS = 10_000;

export interface LogIndex {
  /** Page number → place of its newest version, of all frames that belong to the log's last round, damaged ones too. */
  newest: Map<number, number>;
  /** Frames whose page nobody knows, for the disk does not say. */
  unreadable: number;
}

export function indexLog(log: number, read: ReadSectors = READ_DISK): LogIndex {
  const index: LogIndex = { newest: new Map(), unreadable: 0 };
  const head = readPiece(read, log, 0, HEADER_BYTES);
  if (head === "unreadable") index.unreadable++;
  const intact = head !== "unreadable" && !head.ends && isHeader(head.bytes);
  let salts = intact ? head.bytes.subarray(16, 24) : undefined;
  const end = fstatSync(log).size;
  let refusingMs = 0;
  for (let place = HEADER_BYTES; place < end && refusingMs < MAX_REFUSING_MS; place += FRAME_BYTES) {
    const startMs = performance.now();
    const frame = readPiece(read, log, place, FRAME_HEADER_BYTES);
    if (frame === "unreadable") {
      index.unreadable++;
      refusingMs += performance.now() - startMs;
      continue;
    }
    if (frame.ends) break;
    const header = frame.bytes;
    const page = header.readUInt32BE(0);
    if (page === 0) continue;
    salts ??= header.subarray(8, 16);
    if (salts.equals(header.subarray(8, 16))) index.newest.set(page, place + FRAME_HEADER_BYTES);
  }
  return index;
}

function condition(log: number, read: ReadSectors): LogCondition {
  const head = readPiece(read, log, 0, HEADER_BYTES);
  if (head === "unreadable" || head.ends || !isHeader(head.bytes)) return "damaged";
  const header = head.bytes;
  const bigEndian = (header.readUInt32BE(0) & 1) === 1;
  const salts = header.subarray(16, 24);
  let sum: Sum = [header.readUInt32BE(24), header.readUInt32BE(28)];
  let valid = true;
  let lostFrames = 0;
  let lostCommits = 0;
  const frameBytes = fstatSync(log).size - HEADER_BYTES;
  const frames = Math.floor(frameBytes / FRAME_BYTES);
  for (let index = 0; index < frames; index++) {
    const piece = readPiece(read, log, HEADER_BYTES + index * FRAME_BYTES, FRAME_BYTES);
    if (piece === "unreadable") return "damaged";
    if (piece.ends) break;
    const frame = piece.bytes;
    const ours = salts.equals(frame.subarray(8, 16));
    if (valid) {
      sum = checksum(
        frame.subarray(FRAME_HEADER_BYTES),
        bigEndian,
        checksum(frame.subarray(0, 8), bigEndian, sum),
      );
      valid = ours && sum[0] === frame.readUInt32BE(16) && sum[1] === frame.readUInt32BE(20);
    }
    if (valid || !ours) continue;
    lostFrames++;
    if (frame.readUInt32BE(4) !== 0) lostCommits++;
  }
  // A second commit is written only after the first was synced, so the first can't be the power cut's doing.
  if (lostCommits >= 2) return "damaged";
  if (lostFrames > 0) return "torn";
  // It may also end in the middle of a frame of its last round.
  if (frameBytes - frames * FRAME_BYTES < FRAME_HEADER_BYTES) return "clean";
  const last = readPiece(read, log, HEADER_BYTES + frames * FRAME_BYTES, FRAME_HEADER_BYTES);
  if (last === "unreadable") return "damaged";
  return salts.equals(last.bytes.subarray(8, 16)) ? "torn" : "clean";
}

type Sum = [number, number];

function isHeader(header: Buffer): boolean {
  const magic = header.readUInt32BE(0);
  if ((magic & ~1) >>> 0 !== MAGIC || header.readUInt32BE(8) !== PAGE_BYTES) return false;
  const sum = checksum(header.subarray(0, 24), (magic & 1) === 1, [0, 0]);
  return sum[0] === header.readUInt32BE(24) && sum[1] === header.readUInt32BE(28);
}

/** SQLite's running checksum over `bytes`, whose length is a multiple of 8. */
function checksum(bytes: Buffer, bigEndian: boolean, [first, second]: Sum): Sum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let a = first;
  let b = second;
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + view.getUint32(at, !bigEndian) + b) >>> 0;
    b = (b + view.getUint32(at + 4, !bigEndian) + a) >>> 0;
  }
  return [a, b];
}
