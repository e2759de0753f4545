import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  PutRecordsCommand,
  UpdateShardCountCommand,
} from "@aws-sdk/client-kinesis";
import t from "tap";
import { LocalCloud } from "../../../cloud/local/cloud.ts";
import { localKinesisClient, openShards } from "../../../cloud/local/kinesis-client.ts";
import { silent } from "./helpers/lake.ts";
import { linesOf, packed, putUntilAccepted } from "./helpers/producer.ts";

t.test("the stream is Kinesis to its producers and Firehose's source to the lake", async (t) => {
  const data = t.testdir();
  const settings = {
    data,
    port: 0,
    controlPort: 0,
    stream: "windfarm-readings",
    region: "us-east-1",
    shards: 2,
    ...{ intervalMs: 100, maxBytes: 1_000_000, repeated: 0, throttled: false, curateEveryMs: 1 },
    ...{ threads: 1, lifeBytes: 20_000 },
  };
  const cloud = new LocalCloud(settings, silent);
  await cloud.start();
  t.teardown(() => cloud.stop());
  const endpoint = () => `http://127.0.0.1:${cloud.port}`;
  const client = localKinesisClient(endpoint(), "us-east-1");
  t.teardown(() => client.destroy());

  await t.test("records of others cost nothing but themselves", async (t) => {
    await putUntilAccepted(endpoint, [
      Buffer.from([0xf3, 0x89, 0x9a, 0xc2, 0x0a, 0x01, 0x61]),
      packed(linesOf(1, 10)),
      Buffer.from(linesOf(11, 11)),
    ]);
    const status = await cloud.flush();
    t.match(status, { lakeReadings: 11, rejects: 1, lag: { none: true, undeliveredBytes: 0 } });
    t.match(status.epochs, [{ maxSeq: 11, distinct: 11, gaps: [] }]);
  });

  await t.test("another consumer reads the payloads that were put", async (t) => {
    const [shard] = await openShards(client, settings.stream);
    const ShardId = shard?.id;
    const put = await client.send(
      new PutRecordsCommand({
        StreamName: settings.stream,
        Records: [{ Data: Buffer.from(linesOf(12, 12)), PartitionKey: "k", ExplicitHashKey: "0" }],
      }),
    );
    t.equal(put.Records?.[0]?.ShardId, ShardId);
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName: settings.stream,
        ShardId,
        ShardIteratorType: "AT_SEQUENCE_NUMBER",
        StartingSequenceNumber: put.Records?.[0]?.SequenceNumber,
      }),
    );
    const got = await client.send(new GetRecordsCommand({ ShardIterator }));
    t.equal(Buffer.from(got.Records?.[0]?.Data ?? []).toString(), linesOf(12, 12));
  });

  await t.test("requests beyond Kinesis' limits are refused as Kinesis refuses them", async (t) => {
    const Records = Array.from({ length: 501 }, () => ({ Data: Buffer.from("x\n"), PartitionKey: "k" }));
    await t.rejects(client.send(new PutRecordsCommand({ StreamName: settings.stream, Records })), {
      name: "ValidationException",
    });
    await t.rejects(client.send(new PutRecordsCommand({ StreamName: "none", Records: Records.slice(1) })), {
      name: "ResourceNotFoundException",
    });
  });

  await t.test("when shards are split, the delivery follows", async (t) => {
    await client.send(
      new UpdateShardCountCommand({
        StreamName: settings.stream,
        TargetShardCount: 4,
        ScalingType: "UNIFORM_SCALING",
      }),
    );
    const records = Array.from({ length: 8 }, (_, index) => packed(linesOf(13 + index, 13 + index)));
    await putUntilAccepted(endpoint, records);
    t.match(await cloud.flush(), { epochs: [{ maxSeq: 20, distinct: 20, gaps: [] }] });
  });

  await t.test(
    "a kinesis-local that holds much is replaced under load, and nothing is missing",
    async (t) => {
      const before = cloud.status().kinesisPid;
      let seq = 21;
      while (cloud.status().kinesisPid === before) {
        await putUntilAccepted(endpoint, [packed(linesOf(seq, seq + 9))]);
        seq += 10;
      }
      await putUntilAccepted(endpoint, [packed(linesOf(seq, seq + 9))]);
      const status = await cloud.flush();
      t.match(status.epochs, [{ maxSeq: seq + 9, distinct: seq + 9, gaps: [] }]);
      t.equal(status.lakeReadings, seq + 9);
    },
  );
});

t.test(
  "like AWS: a full shard throttles its records alone, objects come twice, the table waits",
  async (t) => {
    const settings = {
      ...{ data: t.testdir(), port: 0, controlPort: 0, stream: "windfarm-readings", region: "us-east-1" },
      ...{ shards: 2, intervalMs: 100, maxBytes: 1_000_000, repeated: 1, throttled: true },
      ...{ curateEveryMs: 3_600_000, threads: 1, lifeBytes: 1e9 },
    };
    const cloud = new LocalCloud(settings, silent);
    await cloud.start();
    t.teardown(() => cloud.stop());
    const client = localKinesisClient(`http://127.0.0.1:${cloud.port}`, "us-east-1");
    t.teardown(() => client.destroy());
    const [low, high] = await openShards(client, settings.stream);
    const entries: [shard: string, fillerBytes: number][] = [
      [String(low?.first), 700_000],
      [String(low?.first), 700_000],
      [String(high?.first), 0],
    ];
    const Records = entries.map(([ExplicitHashKey, bytes], at) => ({
      Data: Buffer.concat([packed(linesOf(at + 1, at + 1)), Buffer.alloc(bytes)]),
      PartitionKey: "k",
      ExplicitHashKey,
    }));
    const answer = await client.send(new PutRecordsCommand({ StreamName: settings.stream, Records }));
    t.equal(answer.FailedRecordCount, 1);
    t.same(
      answer.Records?.map(({ ErrorCode, ShardId }) => ErrorCode ?? ShardId),
      [low?.id, "ProvisionedThroughputExceededException", high?.id],
    );
    while (cloud.status().lag.undeliveredBytes > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    t.match(cloud.status(), { lakeReadings: 0, lag: { none: false } }, "the hour is not over");
    const status = await cloud.flush();
    t.same(status.epochs, [{ gateway: "gw-01", epoch: "e1", maxSeq: 3, distinct: 2, gaps: [[2, 2]] }]);
    t.match(status, { lakeReadings: 2, duplicates: 2 }, "each object was delivered twice");
  },
);
