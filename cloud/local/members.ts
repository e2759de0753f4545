/**
 * A raw object taken apart: gzip members one after the other, and whatever lies between them.
 *
 * - A member is taken whole or not at all: its deflate data ends, and checksum and length are right.
 * - Anything else is a stretch: the bytes from where no whole member begins to the next place where one does.
 * The job's raw.py takes objects apart in the same way.
 */

import { constants, crc32, inflateRawSync } from "node:zlib";
import { z } from "zod";

export type Piece = { member: Buffer } | { stretch: Buffer };

/** Unpacked bytes of one member that is held here; the engine and the job read larger ones bit by bit. */
const MAX_MEMBER_BYTES = 1024 ** 3;
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);
const TRAILER_BYTES = 8;

/** The pieces of `object` in order, which are all its bytes. */
export function* piecesOf(object: Buffer): Generator<Piece> {
  let from = 0;
  for (let at = object.indexOf(MAGIC); at >= 0; ) {
    const found = memberAt(object, at);
    if (found !== undefined) {
      if (at > from) yield { stretch: object.subarray(from, at) };
      yield { member: found.text };
      from = found.end;
    }
    at = object.indexOf(MAGIC, found?.end ?? at + 1);
  }
  if (from < object.length) yield { stretch: object.subarray(from) };
}

const Inflated = z.object({ buffer: z.instanceof(Buffer), engine: z.object({ bytesWritten: z.number() }) });

function memberAt(object: Buffer, at: number): { end: number; text: Buffer } | undefined {
  const start = headerEnd(object, at);
  if (start === undefined) return undefined;
  try {
    const options = { info: true, maxOutputLength: MAX_MEMBER_BYTES, finishFlush: constants.Z_FINISH };
    const { buffer: text, engine } = Inflated.parse(inflateRawSync(object.subarray(start), options));
    const trailer = start + engine.bytesWritten;
    const end = trailer + TRAILER_BYTES;
    if (end > object.length) return undefined;
    const sound =
      object.readUInt32LE(trailer) === crc32(text) && object.readUInt32LE(trailer + 4) === text.length;
    return sound ? { end, text } : undefined;
  } catch {
    return undefined;
  }
}

/** Flags of a member's header, RFC 1952. */
const [HEADER_CRC, EXTRA, NAME, COMMENT, RESERVED] = [0x02, 0x04, 0x08, 0x10, 0xe0];
const FIXED_BYTES = 10;

/** Where the deflate data of a member at `at` begins; undefined where the header is none or is cut. */
function headerEnd(object: Buffer, at: number): number | undefined {
  const flags = object[at + 3] ?? RESERVED;
  if ((flags & RESERVED) !== 0) return undefined;
  let end = at + FIXED_BYTES;
  if ((flags & EXTRA) !== 0) {
    if (end + 2 > object.length) return undefined;
    end += 2 + object.readUInt16LE(end);
  }
  for (const text of [NAME, COMMENT]) {
    if ((flags & text) === 0) continue;
    const zero = object.indexOf(0, end);
    if (zero < 0) return undefined;
    end = zero + 1;
  }
  if ((flags & HEADER_CRC) !== 0) end += 2;
  return end < object.length ? end : undefined;
}
