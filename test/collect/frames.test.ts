/** Framing by its properties: wherever the stream is cut, and whatever it holds. */

import fc from "fast-check";
import t from "tap";
import { FrameCutter, type FramingError } from "../../agent/collect/frames.ts";

const MAX_BYTES = 300;

interface Told {
  frames: string[];
  error: FramingError | undefined;
  /** Bytes kept at most at once, seen after each chunk. */
  mostKept: number;
}

/** Feeds the chunks; every `holdEvery`th frame puts the stream on hold, which ends before the next chunk but one. */
function cut(chunks: readonly Buffer[], holdEvery = Number.POSITIVE_INFINITY): Told {
  const told: Told = { frames: [], error: undefined, mostKept: 0 };
  let given = 0;
  let taken = 0;
  const cutter = new FrameCutter(MAX_BYTES, (bytes, start, body, end) => {
    if (body < start + 2 || end < body || end > bytes.length)
      throw new RangeError("a frame with wrong bounds");
    told.frames.push(bytes.toString("hex", start, end));
    taken += end - start;
    return told.frames.length % holdEvery !== 0;
  });
  for (const chunk of chunks) {
    given += chunk.length;
    told.error = cutter.feed(Buffer.from(chunk));
    while (cutter.held && told.error === undefined) told.error = cutter.resume();
    if (told.error !== undefined) break;
    if (cutter.waiting !== given > taken) throw new RangeError("bytes were lost or made up");
    told.mostKept = Math.max(told.mostKept, given - taken);
  }
  return told;
}

function lengthOf(bytes: number): number[] {
  return bytes < 128 ? [bytes] : [(bytes % 128) | 0x80, Math.floor(bytes / 128)];
}

const frame = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: MAX_BYTES }))
  .map(([header, body]) => Buffer.from([header, ...lengthOf(body.length), ...body]));

/** The bytes in chunks as long as `sizes` say, over and over. */
function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 1000 })), {
  minLength: 1,
  maxLength: 20,
});

t.test("Cut anywhere and held anywhere, a valid stream gives the same frames", async () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 30 }),
      sizes,
      fc.integer({ min: 1, max: 10 }),
      (frames, sizes, hold) => {
        const stream = Buffer.concat(frames);
        const expected = frames.map((each) => each.toString("hex"));
        for (const told of [cut(split(stream, sizes)), cut(split(stream, sizes), hold), cut([stream])]) {
          if (told.error !== undefined || told.frames.join() !== expected.join()) return false;
        }
        return true;
      },
    ),
  );
});

t.test("No more than one packet is ever kept, and random bytes never throw", async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 5000 }),
      sizes,
      fc.integer({ min: 1, max: 10 }),
      (bytes, sizes, hold) => {
        const told = cut(split(Buffer.from(bytes), sizes), hold);
        return told.mostKept < MAX_BYTES + 1 + 4;
      },
    ),
    { numRuns: 300 },
  );
});

t.test("Random bytes behind valid frames: those before are given, wherever the cuts are", async () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 5 }),
      fc.uint8Array({ maxLength: 2000 }),
      sizes,
      (frames, junk, sizes) => {
        const stream = Buffer.concat([...frames, junk]);
        const whole = cut([stream]);
        const pieces = cut(split(stream, sizes));
        return (
          whole.error === pieces.error &&
          whole.frames.join() === pieces.frames.join() &&
          frames.every((each, index) => whole.frames[index] === each.toString("hex"))
        );
      },
    ),
  );
});

t.test("The limit is the remaining length, to the byte, and known before the body comes", async (t) => {
  t.equal(cut([Buffer.from([0x30, ...lengthOf(MAX_BYTES)])]).error, undefined);
  t.equal(cut([Buffer.from([0x30, ...lengthOf(MAX_BYTES + 1)])]).error, "packet_too_large");
  t.equal(cut([Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff])]).error, "malformed");
});
