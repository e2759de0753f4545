import { appendFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import t from "tap";
import { Claims } from "../../../cloud/local/claims.ts";
import { PUT_LIMITS, settlePut, takePut, withPayloads } from "../../../cloud/local/exchange.ts";
import { formatted } from "../../../cloud/local/format.ts";
import { Journal, type StreamRecord, undelivered } from "../../../cloud/local/journal.ts";
import { payloadsOf } from "../../../cloud/local/lines.ts";
import { Positions } from "../../../cloud/local/positions.ts";
import { RangeSet } from "../../../cloud/local/range-set.ts";
import { durationMs, sizeBytes } from "../../../cloud/local/units.ts";
import { aggregated, linesOf } from "./helpers/producer.ts";

const record = (sequence: number, data: string): StreamRecord => ({
  shard: "shard-0",
  sequence: String(sequence),
  data: Buffer.from(data),
  arrivedMs: 5,
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

t.test("a range set holds what a set holds", async (t) => {
  const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(8)), { maxLength: 30 });
  fc.assert(
    fc.property(ranges, (added) => {
      const set = new Set<number>();
      const found = new RangeSet();
      for (const [first, more] of added) {
        found.add(first, first + more);
        for (let number = first; number <= first + more; number++) set.add(number);
      }
      const max = Math.max(0, ...set);
      const lacking = found
        .gaps()
        .flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
      t.equal(found.size, set.size);
      t.equal(found.max, max);
      t.same(
        lacking,
        Array.from({ length: max }, (_, index) => index + 1).filter((number) => !set.has(number)),
      );
      for (const [index, [first]] of found.ranges.entries()) {
        const before = found.ranges[index - 1];
        if (before !== undefined) t.ok(before[1] + 1 < first, "ranges neither touch nor overlap");
      }
    }),
    { numRuns: 50 },
  );
});

t.test("positions compare sequence numbers as numbers, shard by shard", async (t) => {
  const positions = new Positions([["a", "99"]]);
  positions.advance("a", "100");
  positions.advance("a", "98");
  t.ok(positions.has("a", "100"));
  t.notOk(positions.has("a", "101"));
  t.notOk(positions.has("b", "1"));
  t.notOk(
    positions.covers(
      new Positions([
        ["a", "5"],
        ["b", "1"],
      ]),
    ),
  );
});

t.test("the journal gives back what was not delivered, and no half lines", async (t) => {
  const folder = t.testdir();
  const journal = new Journal(folder);
  await journal.start();
  const [places] = await Promise.all([
    journal.append([record(9, "nine"), record(10, "ten")]),
    journal.append([record(11, "eleven")]),
  ]);
  t.equal(String(await journal.read(places[1]!)), "ten");
  await journal.settle(new Positions([["shard-0", "9"]]));
  await journal.close();
  appendFileSync(`${folder}/journal.ndjson`, '["shard-0","12",5,"dHdlb');
  t.same(
    (await all(undelivered(folder))).map(({ sequence, data }) => [sequence, String(data)]),
    [
      ["10", "ten"],
      ["11", "eleven"],
    ],
  );
});

t.test("a failed write of the journal fails its put only", async (t) => {
  const folder = t.testdir();
  const journal = new Journal(folder);
  await journal.start();
  await journal.append([record(1, "one")]);
  await journal.close();
  await t.rejects(journal.append([record(2, "two")]), /not open/);
  writeFileSync(`${folder}/checkpoint.json`, "{");
  await t.rejects(all(undelivered(folder)), "a damaged checkpoint is said, not guessed at");
});

t.test("kinesis-local gets tokens, the journal and the readers get payloads", async (t) => {
  const journal = new Journal(t.testdir());
  await journal.start();
  const claims = new Claims(journal);
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const records = ["a", "b", "c"].map((data) => ({ Data: base64(data), PartitionKey: data }));
  const body = (fields: object) => Buffer.from(JSON.stringify(fields));
  const put = takePut("s", "PutRecords", body({ StreamName: "s", Records: records }), claims);
  if (put === undefined || "type" in put) return t.fail("a put to the stream is taken");
  const sent = JSON.parse(String(put.body)) as { Records: { Data: string; PartitionKey: string }[] };
  t.same(
    sent.Records.map(({ PartitionKey }) => PartitionKey),
    ["a", "b", "c"],
  );
  t.ok(sent.Records.every(({ Data }) => Data !== base64("a") && Data !== base64("b")));

  const answer = body({
    Records: [
      { ShardId: "x", SequenceNumber: "1" },
      { ErrorCode: "e" },
      { ShardId: "x", SequenceNumber: "2" },
    ],
  });
  const accepted = await settlePut(put, answer, claims);
  t.same(
    accepted.map(({ sequence, data }) => [sequence, String(data)]),
    [
      ["1", "a"],
      ["2", "c"],
    ],
  );
  claims.taken(Buffer.from(sent.Records[0]?.Data ?? "", "base64"));
  const got = await withPayloads(body({ Records: sent.Records, MillisBehindLatest: 0 }), claims);
  const { Records } = JSON.parse(String(got)) as { Records: { Data: string }[] };
  t.equal(Records[0]?.Data, base64("a"), "from the file, after it left the memory");
  t.equal(Records[2]?.Data, base64("c"));
  t.equal(Records[1]?.Data, sent.Records[1]?.Data, "what was not accepted is forgotten");

  const arn = takePut(
    "s",
    "PutRecord",
    body({ StreamARN: "arn:aws:kinesis:us-east-1:0:stream/s", ...records[0] }),
    claims,
  );
  t.ok(arn !== undefined && "held" in arn, "a stream may be named by its ARN");
  t.equal(takePut("s", "PutRecord", body({ StreamName: "other", ...records[0] }), claims), undefined);
  t.equal(takePut("s", "ListShards", body({ StreamName: "s" }), claims), undefined);
  t.equal(takePut("s", "PutRecords", Buffer.from("not json"), claims), undefined);
  const many = Array.from({ length: PUT_LIMITS.records + 1 }, () => records[0]);
  t.match(takePut("s", "PutRecords", body({ StreamName: "s", Records: many }), claims), {
    type: "ValidationException",
  });
  const large = { Data: Buffer.alloc(PUT_LIMITS.recordBytes).toString("base64"), PartitionKey: "k" };
  t.match(takePut("s", "PutRecord", body({ StreamName: "s", ...large }), claims), {
    type: "ValidationException",
  });
  await journal.close();
});

t.test("records are taken apart, and what can't be is said", async (t) => {
  const lines = linesOf(1, 3);
  const whole = aggregated("k", lines);
  const payloads = payloadsOf(whole);
  t.ok(Array.isArray(payloads) && Buffer.concat(payloads).toString() === lines);
  t.same(payloadsOf(Buffer.from("plain\n")), [Buffer.from("plain\n")]);
  const damaged = Buffer.from(whole);
  damaged[20] = (damaged[20] ?? 0) ^ 1;
  t.match(payloadsOf(damaged), { problem: /digest/ });
});

t.test("answers are shown in three forms", async (t) => {
  const columns = [
    { name: "né", type: "VARCHAR" },
    { name: "n", type: "BIGINT" },
  ];
  const rows = [
    ["é,", 10n],
    [null, 2n ** 60n],
  ];
  t.equal(formatted({ columns, rows }, "csv"), 'né,n\r\n"é,",10\r\n,1152921504606846976\r\n');
  t.equal(formatted({ columns, rows: [] }, "json"), "[]\n");
  t.same(JSON.parse(formatted({ columns, rows }, "json")), [
    { né: "é,", n: 10 },
    { né: null, n: "1152921504606846976" },
  ]);
  t.equal(formatted({ columns, rows: [rows[0]!] }, "table"), "né   n\n──  ──\né,  10\n(1 row)\n");
});

t.test("durations and sizes carry their unit", async (t) => {
  t.equal(durationMs("1.5s", "--x"), 1_500);
  t.equal(sizeBytes("5MiB", "--x"), 5 * 1024 * 1024);
  for (const wrong of ["5", "s", "-1s", "0s", "1 fortnight"])
    t.throws(() => durationMs(wrong, "--x"), { code: "usage" });
  t.throws(() => sizeBytes("5mib", "--x"), { message: /--x "5mib" is not a size with its unit/ });
});
