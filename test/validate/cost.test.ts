/**
 * No input may cost much more than what it pretends to be: 64 KB of anything take at most so many times the CPU time of 64 KB of
 * plain readings, through framing, PUBLISH and validation, measured in the same run.
 */

import fc from "fast-check";
import t from "tap";
import { FrameCutter } from "../../agent/collect/frames.ts";
import { PublishReader } from "../../agent/collect/publish-packet.ts";
import { DEFAULT_SENSORS } from "../../agent/contract/sensors.ts";
import { Validator } from "../../agent/validate/validator.ts";

const BYTES = 64 * 1024;
const MOST = 20;
const TOPIC = "windfarm/T07/power-factor";
const PLAIN = '{"id":"PP_4","data":0.97,"type":"Power Factor","date":"2026-11-22T12:00:00.000Z"}';

const validator = new Validator({
  topic: "windfarm/+/+",
  timezone: "Europe/Berlin",
  sensors: Object.values(DEFAULT_SENSORS),
});
const publishes = new PublishReader();

/** What one connection does with what it receives, but for the buffer. */
function receive(bytes: Buffer): void {
  const cutter = new FrameCutter(2 * BYTES, (packet, start, body, end) => {
    if ((packet[start] ?? 0) >>> 4 !== 3) return true;
    const publish = publishes.read(packet, start, body, end);
    if (publish === undefined || publish.topic.forbidden !== undefined) return "malformed";
    validator.check(publish.topic.topic, publish.payload);
    return true;
  });
  cutter.feed(bytes);
}

function packetOf(payload: Buffer): Buffer {
  const rest = 2 + TOPIC.length + payload.length;
  const length = [rest & 0x7f, (rest >>> 7) & 0x7f, rest >>> 14];
  while (length.length > 1 && length.at(-1) === 0) length.pop();
  const header = [0x30, ...length.map((byte, at) => (at < length.length - 1 ? byte | 0x80 : byte))];
  return Buffer.concat([Buffer.from([...header, 0, TOPIC.length, ...Buffer.from(TOPIC)]), payload]);
}

/** `unit` again and again, up to 64 KB. */
function filled(unit: Buffer): Buffer {
  return Buffer.alloc(BYTES, unit);
}

function cpuMicros(bytes: Buffer): number {
  const before = process.cpuUsage();
  receive(bytes);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** CPU time of 64 KB, µs: the least of three, for what disturbs only adds. */
function costOf(bytes: Buffer): number {
  return Math.min(cpuMicros(bytes), cpuMicros(bytes), cpuMicros(bytes));
}

/** The typical cost of 64 KB of such readings, µs. */
function typicalCost(reading: string): number {
  const bytes = filled(packetOf(Buffer.from(reading)));
  for (let i = 0; i < 200; i++) receive(bytes);
  const costs = Array.from({ length: 9 }, () => costOf(bytes)).sort((a, b) => a - b);
  return costs[4] ?? Number.NaN;
}

const PLAIN_MICROS = typicalCost(PLAIN);
/** As producers in the field send them: these take the slow lane. */
const SLOPPY_MICROS = typicalCost(PLAIN.replace("Power Factor", "Power Factory"));

/** How many times the time of readings this costs; a doubtful figure is looked at again. */
function ratioOf(bytes: Buffer, readingsMicros = PLAIN_MICROS): number {
  let ratio = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5 && ratio > MOST; i++) ratio = Math.min(ratio, costOf(bytes) / readingsMicros);
  return ratio;
}

const inField = (before: string, after: string) => (text: string) =>
  packetOf(Buffer.from(`${before}${text}${after}`));
/** A payload with room for 64 KB of something. */
const slots = {
  "data as text": inField('{"id":"a","data":"', '","date":"2026-11-22"}'),
  "data as number": inField('{"id":"a","data":', ',"date":"2026-11-22"}'),
  id: inField('{"id":"', '","data":1,"date":"2026-11-22"}'),
  "id as number": inField('{"id":', ',"data":1,"date":"2026-11-22"}'),
  date: inField('{"id":"a","data":1,"date":"', '"}'),
  type: inField('{"id":"a","data":1,"date":"2026-11-22","type":"', '"}'),
  "another field": inField('{"id":1e300,"x":', ',"data":1,"date":"2026-11-22"}'),
  "a whole payload": inField("", ""),
} as const;

const UNITS = [
  "1",
  "0",
  " ",
  "\t",
  "1 ",
  "1.",
  ".",
  "e",
  "+",
  "-",
  "[",
  "{",
  '{"id":',
  '"',
  "\\",
  "\\u0031",
  "\ufffd",
  "é",
  "ﷺ",
  "/",
  ":",
  "Z",
  ",",
];

t.comment(`64 KB of plain readings: ${PLAIN_MICROS} µs, of sloppy ones ${SLOPPY_MICROS} µs`);

t.test("one long value of anything, anywhere", async (t) => {
  let worst = { ratio: 0, what: "" };
  for (const [name, fill] of Object.entries(slots)) {
    for (const unit of UNITS) {
      for (const end of ["", "x", '"']) {
        const ratio = ratioOf(fill(unit.repeat(BYTES / Buffer.byteLength(unit) - 200) + end));
        if (ratio > worst.ratio) worst = { ratio, what: `${name} full of ${JSON.stringify(unit)}` };
      }
    }
  }
  t.ok(worst.ratio < MOST, `the worst is ${worst.what}: ${worst.ratio.toFixed(1)} times`);
});

const text = fc.string({
  unit: fc.constantFrom(...'0123456789.+-eE /:TZ[]{}",\\u'),
  minLength: 1,
  maxLength: 12,
});

t.test("a search: repeated pieces of readings' grammar in any field", async (t) => {
  let worst = 0;
  const value = fc.tuple(fc.constantFrom(...Object.values(slots)), text, text, text);
  fc.assert(
    fc.property(value, ([fill, head, unit, tail]) => {
      const ratio = ratioOf(fill(head + unit.repeat((BYTES - 300) / unit.length) + tail));
      worst = Math.max(worst, ratio);
      return ratio < MOST;
    }),
    { numRuns: 400 },
  );
  t.comment(`the worst: ${worst.toFixed(1)} times`);
});

// What is paid for each packet, a refusal above all, is held against readings that are read field by field as well.
t.test("a search: any bytes, and 64 KB of small packets", async (t) => {
  let worst = 0;
  const small = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ minLength: 20, maxLength: 200 }).map((bytes) => packetOf(Buffer.from(bytes))),
    text.map((body) => packetOf(Buffer.from(body))),
    text.map((body) => packetOf(Buffer.from(`{"id":"a","data":${body}}`))),
  );
  fc.assert(
    fc.property(small, (unit) => {
      const ratio = ratioOf(filled(unit), SLOPPY_MICROS);
      worst = Math.max(worst, ratio);
      return ratio < MOST;
    }),
    { numRuns: 400 },
  );
  t.comment(`the worst: ${worst.toFixed(1)} times`);
});
