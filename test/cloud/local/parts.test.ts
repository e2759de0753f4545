import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { formatted } from "../../../cloud/ask/format.ts";
import { Delivery } from "../../../cloud/local/delivery.ts";
import {
  answerOf,
  outcomesOf,
  PUT_LIMITS,
  type Put,
  type Refusal,
  readPut,
  requestOf,
} from "../../../cloud/local/puts.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { SHARD_LIMITS, ShardLimits } from "../../../cloud/local/shard-limits.ts";
import { durationMs, sizeBytes } from "../../../cloud/local/units.ts";
import { silent } from "./helpers/lake.ts";

interface Bucket {
  delivery: Delivery;
  raw: RawStore;
  folder: string;
  objects: string[];
}

/** A delivery over folders in `root`; its buffer is full and over only when it is flushed. */
function deliveryIn(root: string, repeated = 0): Bucket {
  const raw = new RawStore(join(root, "raw"));
  const folder = join(root, "delivery");
  const objects: string[] = [];
  const settings = { intervalMs: 3_600_000, maxBytes: 1_000, repeated };
  const delivery = new Delivery(settings, folder, raw, silent, (key) => objects.push(key));
  return { delivery, raw, folder, objects };
}

t.test("the delivery keeps records in order, one after the other", async (t) => {
  const { delivery, raw, folder, objects } = deliveryIn(t.testdir());
  await delivery.start();
  await Promise.all(["one", "two"].map((text) => delivery.append([Buffer.from(text)])));
  t.equal(delivery.waitingBytes, 6);
  t.equal(readdirSync(folder).length, 1, "on disk before it is delivered");
  await delivery.flush();
  t.same(await raw.list(), objects);
  t.match(objects, [/^readings\/dt=\d{4}-\d\d-\d\d\/hr=\d\d\/windfarm-readings-1-.*\.gz$/]);
  t.equal(readFileSync(raw.path(objects[0] ?? ""), "utf8"), "onetwo");
  t.equal(delivery.waitingBytes, 0);
  await delivery.flush();
  t.equal((await raw.list()).length, 1, "nothing makes no object");
});

t.test("what an ended process had accepted is delivered at the next start", async (t) => {
  const root = t.testdir();
  const before = deliveryIn(root);
  await before.delivery.start();
  await before.delivery.append([Buffer.from("accepted")]);
  const after = deliveryIn(root);
  await after.delivery.start();
  t.equal(after.objects.length, 1);
  t.equal(readFileSync(after.raw.path(after.objects[0] ?? ""), "utf8"), "accepted");
  t.same(readdirSync(after.folder), []);
});

t.test("with repetitions an object comes twice under two names", async (t) => {
  const { delivery, raw, objects } = deliveryIn(t.testdir(), 1);
  await delivery.start();
  await delivery.append([Buffer.from("again")]);
  await delivery.flush();
  t.equal(objects.length, 2);
  t.same(
    objects.map((object) => readFileSync(raw.path(object), "utf8")),
    ["again", "again"],
  );
});

const base64 = (text: string) => Buffer.from(text).toString("base64");
const records = ["a", "b", "c"].map((data) => ({ Data: base64(data), PartitionKey: data }));

function read(
  operation: string,
  fields: object,
  type = "application/x-amz-json-1.1",
): Put | Refusal | undefined {
  const headers = { "x-amz-target": `Kinesis_20131202.${operation}`, "content-type": type };
  return readPut("s", headers, Buffer.from(JSON.stringify(fields)));
}

function put(t: Test, operation: string, fields: object): Put {
  const found = read(operation, fields);
  if (found === undefined || "type" in found) {
    t.fail("a put to the stream is taken");
    throw new TypeError("no put");
  }
  return found;
}

t.test("puts are read, and those beyond Kinesis' limits refused", async (t) => {
  const many = put(t, "PutRecords", { StreamName: "s", Records: records });
  t.same(many.data.map(String), ["a", "b", "c"]);
  t.same(JSON.parse(requestOf(many, [0, 2]).toString()), {
    StreamName: "s",
    Records: [records[0], records[2]],
  });
  const accepted = { ShardId: "x", SequenceNumber: "1" };
  const answer = answerOf([accepted, { ErrorCode: "e", ErrorMessage: "m" }]);
  t.match(JSON.parse(answer.toString()), { FailedRecordCount: 1, Records: [accepted, { ErrorCode: "e" }] });
  t.match(outcomesOf(many, answer), [accepted, { ErrorCode: "e" }]);

  const one = put(t, "PutRecord", { StreamARN: "arn:aws:kinesis:us-east-1:0:stream/s", ...records[0] });
  t.match(outcomesOf(one, Buffer.from(JSON.stringify(accepted))), [accepted]);
  t.equal(read("PutRecord", { StreamName: "other", ...records[0] }), undefined);
  t.equal(read("ListShards", { StreamName: "s" }), undefined);
  t.match(read("PutRecords", {}, "application/x-amz-cbor-1.1"), { message: /AWS_CBOR_DISABLE/ });
  const toomany = Array.from({ length: PUT_LIMITS.records + 1 }, () => records[0]);
  t.match(read("PutRecords", { StreamName: "s", Records: toomany }), { type: "ValidationException" });
  const large = { Data: Buffer.alloc(PUT_LIMITS.recordBytes).toString("base64"), PartitionKey: "k" };
  t.match(read("PutRecord", { StreamName: "s", ...large }), { type: "ValidationException" });
});

t.test("a shard takes 1 MB and 1 000 records a second, and each shard by itself", async (t) => {
  let now = 0;
  const limits = new ShardLimits(() => now);
  const half = 1n << 127n;
  limits.follow([
    { id: "low", first: 0n, last: half - 1n },
    { id: "high", first: half, last: (1n << 128n) - 1n },
  ]);
  const ask = (hashKey: bigint, bytes: number) =>
    limits.fullShard({ partitionKey: "k", hashKey: String(hashKey), bytes });
  for (let record = 0; record < SHARD_LIMITS.records; record++) t.notOk(ask(0n, 10));
  t.equal(ask(0n, 10), "low");
  t.equal(ask(half, SHARD_LIMITS.bytes), undefined, "the other has room");
  t.equal(ask(half, 1), "high");
  now = 500;
  t.equal(ask(half, SHARD_LIMITS.bytes / 2), undefined, "half of it is back after half a second");
  t.equal(ask(half, 1), "high");
  now = 60_000;
  t.equal(ask(half, SHARD_LIMITS.bytes), undefined);
  t.equal(ask(half, 1), "high", "and never more than a second's");
  // MD5 of "k" begins with 8: the upper half.
  now = 120_000;
  limits.fullShard({ partitionKey: "k", hashKey: undefined, bytes: SHARD_LIMITS.bytes });
  t.equal(ask(half, 1), "high", "by the partition key's hash otherwise");
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
  t.throws(() => sizeBytes("5 mb/s", "--x"), { message: /--x "5 mb\/s" is not a size with its unit/ });
});
