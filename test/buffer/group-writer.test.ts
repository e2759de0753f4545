import fc from "fast-check";
import t from "tap";
import { GroupWriter } from "../../agent/buffer/group-writer.ts";
import { SENSOR_TYPES } from "../../agent/contract/sensors.ts";
import { encodeHead, encodeShipped, MARK_DAY, MARK_DUP } from "../../agent/contract/shipped.ts";

const reading = fc.record({
  id: fc.string({ minLength: 1 }),
  data: fc.double({ noNaN: true, noDefaultInfinity: true }),
  type: fc.constantFrom(...SENSOR_TYPES),
  date: fc.constant("2026-11-22T12:00:00.000Z"),
  turbine: fc.constantFrom("T07", "Höhe 3", 'with "quotes"', "風車"),
});
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });

t.test("writes the very bytes of encodeShipped", async () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(reading, time, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1000 }),
      (readings, firstSeq) => {
        const writer = new GroupWriter("gw-01", "t8k2q1");
        let expected = "";
        for (const [index, [each, receivedMs, day, dup]] of readings.entries()) {
          const seq = firstSeq + index;
          writer.add(
            Buffer.from(encodeHead(each)),
            each.turbine,
            receivedMs,
            (day ? MARK_DAY : 0) | (dup ? MARK_DUP : 0),
            seq,
          );
          const received = new Date(receivedMs).toISOString();
          expected += encodeShipped({ ...each, gateway: "gw-01", epoch: "t8k2q1", seq, received, day, dup });
        }
        return writer.bytes().equals(Buffer.from(expected));
      },
    ),
  );
});

t.test("takes a head larger than its memory", async (t) => {
  const writer = new GroupWriter("gw-01", "t8k2q1");
  const head = Buffer.from(`{"id":"${"x".repeat(2_000_000)}"}`);
  writer.add(head, "T07", 0, 0, 1);
  const fields = head.subarray(0, -1);
  t.ok(writer.bytes().subarray(0, fields.length).equals(fields));
});

t.test("ten thousand turbines don't make it remember them all", async (t) => {
  const writer = new GroupWriter("gw-01", "t8k2q1");
  for (let number = 0; number < 10_000; number++) {
    writer.clear();
    writer.add(Buffer.from("{}"), `T${number}`, 0, 0, 1);
    if (number % 1000 === 999) t.match(writer.bytes().toString(), `"turbine":"T${number}"`);
  }
});
