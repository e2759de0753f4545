import fc from "fast-check";
import t from "tap";
import {
  AggregateWriter,
  aggregatedLength,
  aggregateOverhead,
  deaggregate,
} from "../../agent/contract/aggregate.ts";

const VECTOR = "f3899ac20a0d706172746974696f6e5f6b65791a0808001a0464617461d03699da5a222fa32108ad1bd955a14e";

t.test("a record is written byte for byte as the Kinesis Producer Library writes it", async (t) => {
  const writer = new AggregateWriter(1024);
  writer.begin("partition_key");
  writer.load(Buffer.from("some data"));
  t.ok(writer.add(5, 9));
  t.equal(writer.finish().toString("hex"), VECTOR);
});

t.test("a record of the Kinesis Producer Library is taken apart", async (t) => {
  t.strictSame(deaggregate(Buffer.from(VECTOR, "hex")), [
    { partitionKey: "partition_key", data: Buffer.from("data") },
  ]);
});

t.test("readings come out as they went in, every one with the record's own key", async (t) => {
  const readings = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 60 });
  const key = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });
  fc.assert(
    fc.property(readings, key, (all, partitionKey) => {
      const writer = new AggregateWriter(64 * 1024);
      writer.begin(partitionKey);
      for (const data of all) {
        writer.load(data);
        writer.add(0, data.length);
      }
      t.equal(writer.count, all.length);
      const expected = all.map((data) => ({ partitionKey, data: Buffer.from(data) }));
      t.strictSame(deaggregate(writer.finish()), expected);
    }),
    { numRuns: 100 },
  );
});

t.test("the announced lengths are the lengths written", async (t) => {
  for (const length of [0, 1, 116, 117, 122, 123, 127, 128, 178, 16_000, 16_377, 16_384, 40_000]) {
    const writer = new AggregateWriter(128 * 1024);
    writer.begin("12345678");
    writer.load(Buffer.alloc(length));
    writer.add(0, length);
    t.equal(
      writer.finish().length,
      aggregateOverhead("12345678") + aggregatedLength(length),
      `${length} bytes`,
    );
  }
});

t.test("a reading without room is not taken, and the record stays within its capacity", async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 40, max: 2000 }),
      fc.array(fc.integer({ min: 0, max: 300 })),
      (capacity, sizes) => {
        const writer = new AggregateWriter(capacity);
        writer.begin("12345678");
        let expected = aggregateOverhead("12345678");
        for (const size of sizes) {
          const fits = expected + aggregatedLength(size) <= capacity;
          writer.load(Buffer.alloc(size));
          t.equal(writer.add(0, size), fits);
          if (fits) expected += aggregatedLength(size);
        }
        t.equal(writer.finish().length, expected);
      },
    ),
    { numRuns: 100 },
  );
});

t.test(
  "one writer fills one record after the other, and a finished one does not change any more",
  async (t) => {
    const writer = new AggregateWriter(1024);
    writer.load(Buffer.from("onetwo"));
    writer.begin("first");
    writer.add(0, 3);
    const first = writer.finish();
    writer.begin("second");
    writer.add(3, 6);
    t.strictSame(deaggregate(first), [{ partitionKey: "first", data: Buffer.from("one") }]);
    t.strictSame(deaggregate(writer.finish()), [{ partitionKey: "second", data: Buffer.from("two") }]);
  },
);

t.test("a record goes on where a body larger than all before comes between", async (t) => {
  const writer = new AggregateWriter(1024);
  writer.begin("key");
  const bodies = [
    Buffer.from("one"),
    Buffer.alloc(600_000, "x"),
    Buffer.from("two"),
    Buffer.alloc(300_000, "y"),
  ];
  for (const body of bodies) {
    writer.load(body);
    writer.add(body.length - 3, body.length);
  }
  t.strictSame(
    deaggregate(writer.finish())?.map(({ data }) => data.toString()),
    ["one", "xxx", "two", "yyy"],
  );
});

t.test("what is no aggregated record is told from one that is", async (t) => {
  const record = Buffer.from(VECTOR, "hex");
  t.equal(deaggregate(Buffer.from('{"id":"PP_4"}\n')), undefined, "a plain reading");
  t.equal(deaggregate(Buffer.alloc(0)), undefined, "nothing");
  for (const [index] of record.entries()) {
    const damaged = Buffer.from(record);
    damaged[index] = (damaged[index] ?? 0) ^ 1;
    t.equal(deaggregate(damaged), undefined, `a flipped bit in byte ${index}`);
  }
});
