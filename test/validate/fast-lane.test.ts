import fc from "fast-check";
import t from "tap";
import { ReadingReader } from "../../agent/contract/reading.ts";
import { DEFAULT_SENSORS, SENSOR_TYPES, type Sensor, SensorCatalog } from "../../agent/contract/sensors.ts";
import { encodeHead } from "../../agent/contract/shipped.ts";
import { FastLane } from "../../agent/validate/fast-lane.ts";

const { sensors } = new SensorCatalog();
const lane = () => new FastLane(sensors as [Sensor, ...Sensor[]]);
const reader = new ReadingReader();
const topic = { turbine: "T07", sensor: undefined };

/** The fast lane must decline, or say exactly what the slow lane says. */
function agree(fast: FastLane, text: string): boolean {
  const payload = Buffer.from(text);
  if (!fast.read(payload, undefined)) return false;
  const verdict = reader.read(payload, topic);
  if ("reason" in verdict) throw new Error(`the fast lane took what the slow lane refuses: ${text}`);
  const head = Buffer.from(fast.head).toString();
  if (head !== encodeHead(verdict.reading)) throw new Error(`${head} is not ${encodeHead(verdict.reading)}`);
  if (!Object.is(fast.data, verdict.reading.data))
    throw new Error(`${fast.data} is not ${verdict.reading.data}`);
  if (fast.sensor !== verdict.sensor) throw new Error(`${fast.sensor.type} is not ${verdict.sensor.type}`);
  return true;
}

const number = fc.oneof(
  fc.integer({ min: -99_999, max: 99_999 }).map((n) => String(n / 1000)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.tuple(fc.integer({ min: -999, max: 999 }), fc.stringMatching(/^\d{0,18}$/)).map(([a, b]) => `${a}.${b}`),
  fc.constantFrom(
    "-0",
    "0",
    "-0.0",
    "1e3",
    "00",
    "01",
    "1.",
    ".5",
    "0.0000001",
    "0.00000123",
    "-",
    '"1"',
    "null",
  ),
);
const date = fc.oneof(
  fc
    .date({
      noInvalidDate: true,
      min: new Date("0001-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59Z"),
    })
    .map((d) => d.toISOString()),
  fc
    .tuple(...[9999, 13, 32, 25, 61, 61].map((max) => fc.nat(max)), fc.constantFrom("Z", "+", "z"))
    .map(([y, mo, d, h, mi, s, z]) => {
      const two = (n: unknown) => String(n).padStart(2, "0");
      return `${String(y).padStart(4, "0")}-${two(mo)}-${two(d)}T${two(h)}:${two(mi)}:${two(s)}.000${z}`;
    }),
);
const id = fc.oneof(
  fc.stringMatching(/^[A-Z]{2}_\d{1,6}$/),
  fc.stringMatching(/^[A-Z]{2}_\d{1,6}$/),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constant("x".repeat(513)),
);
const type = fc.oneof(
  fc.constantFrom(...SENSOR_TYPES),
  fc.constantFrom(...SENSOR_TYPES),
  fc.constantFrom("temperature", "Power Factory", ""),
);
const gap = fc.oneof(
  { weight: 60, arbitrary: fc.constant("") },
  { weight: 3, arbitrary: fc.constant(" ") },
  fc.constantFrom("  ", "\t"),
);
const fields = fc
  .tuple(id, number, type, date)
  .map(([id, data, type, date]) => [
    `"id":${JSON.stringify(id)}`,
    `"data":${data}`,
    `"type":${JSON.stringify(type)}`,
    `"date":"${date}"`,
  ]);
const payload = fc
  .tuple(
    fields,
    fc.array(gap, { minLength: 9, maxLength: 9 }),
    fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, fc.nat(3)),
    fc.nat(1),
  )
  .chain(([fields, gaps, repeated, shuffled]) => {
    const all = repeated === null ? fields : [...fields, fields[repeated] as string];
    const order = shuffled ? fc.shuffledSubarray(all, { minLength: 3 }) : fc.constant(all);
    return order.map((parts) => {
      const spaced = parts.map((part, i) => `${gaps[i]}${part.replace('":', `":${gaps[8 - (i % 9)]}`)}`);
      return `{${spaced.join(",")}}`;
    });
  });

t.test("the fast lane writes what the slow lane would write, or declines", async (t) => {
  const fast = lane();
  let taken = 0;
  fc.assert(
    fc.property(payload, (text) => {
      if (agree(fast, text)) taken++;
    }),
    { numRuns: 20_000 },
  );
  t.ok(taken > 1000, `${taken} of 20 000 generated payloads went the fast way`);
});

t.test("a byte changed anywhere never makes the two lanes differ", async (t) => {
  const fast = lane();
  const text = '{"id": "PP_4", "data":0.97,"type":"Power Factor","date":"2024-02-29T12:00:00.000Z"}';
  const original = Buffer.from(text);
  for (let at = 0; at < original.length; at++) {
    for (let byte = 0; byte < 128; byte++) {
      const changed = Buffer.from(original);
      changed[at] = byte;
      agree(fast, changed.toString());
    }
  }
  for (let length = 0; length < original.length; length++) agree(fast, text.slice(0, length));
  t.pass("every single-byte change and every truncation agrees");
});

t.test("canonical payloads take the fast lane", async (t) => {
  const fast = lane();
  for (const type of SENSOR_TYPES) {
    const text = `{"id":"PP_4","data":0.9712345678901234,"type":"${type}","date":"2026-11-22T12:00:00.000Z"}`;
    t.ok(agree(fast, text), type);
    t.ok(agree(fast, text.replaceAll(",", ", ").replaceAll('":', '": ')), `${type}, spaced`);
  }
});

t.test("a type other than the topic's is left to the slow lane", async (t) => {
  const text = '{"id":"PP_4","data":0.97,"type":"Power Factor","date":"2026-11-22T12:00:00.000Z"}';
  t.notOk(lane().read(Buffer.from(text), DEFAULT_SENSORS["Hydraulic Pressure"]));
  t.ok(lane().read(Buffer.from(text), DEFAULT_SENSORS["Power Factor"]));
});
