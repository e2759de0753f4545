import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  PutRecordsCommand,
  UpdateShardCountCommand,
} from "@aws-sdk/client-kinesis";
import t from "tap";
import { LAYOUT } from "../../../cloud/layout.ts";
import { LocalCloud } from "../../../cloud/local/cloud.ts";
import { localKinesisClient, shardIds } from "../../../cloud/local/kinesis-client.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { silent } from "./helpers/lake.ts";
import { aggregated, linesOf, putUntilAccepted } from "./helpers/producer.ts";

t.test("the stream is Kinesis to its producers and Firehose's source to the lake", async (t) => {
  const data = t.testdir();
  const settings = {
    data,
    port: 0,
    controlPort: 0,
    stream: "windfarm-readings",
    region: "us-east-1",
    shards: 2,
  };
  const cloud = new LocalCloud(
    { ...settings, intervalMs: 100, maxBytes: 1_000_000, threads: 1, lifeBytes: 20_000 },
    silent,
  );
  await cloud.start();
  t.teardown(() => cloud.stop());
  const endpoint = () => `http://127.0.0.1:${cloud.port}`;
  const client = localKinesisClient(endpoint(), "us-east-1");
  t.teardown(() => client.destroy());

  await t.test("a record that can't be taken apart goes to the errors folder, the others on", async (t) => {
    const damaged = aggregated("k", linesOf(1, 5));
    damaged[30] = (damaged[30] ?? 0) ^ 1;
    await putUntilAccepted(endpoint, [
      damaged,
      aggregated("k", linesOf(6, 10)),
      Buffer.from(linesOf(11, 11)),
    ]);
    const status = await cloud.flush();
    t.match(status, {
      lakeReadings: 6,
      rejects: 0,
      lag: { none: true, undeliveredBytes: 0, uncuratedReadings: 0 },
    });
    t.match(status.epochs, [{ maxSeq: 11, distinct: 6, gaps: [[1, 5]] }]);
    const layout = {
      ...LAYOUT,
      rawFolder: "errors/processing-failed",
      rawPartitions: LAYOUT.rawPartitions.slice(0, 1),
    };
    const errors = new RawStore(`${data}/raw`, layout);
    const [object] = await errors.list();
    const line = JSON.parse(gunzipSync(readFileSync(errors.path(object ?? ""))).toString()) as {
      rawData: string;
    };
    t.same(Buffer.from(line.rawData, "base64"), damaged);
    await putUntilAccepted(endpoint, [aggregated("k", linesOf(1, 5))]);
  });

  await t.test("another consumer reads the payloads that were put", async (t) => {
    const [ShardId] = await shardIds(client, settings.stream);
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
    const records = Array.from({ length: 8 }, (_, index) => aggregated("k", linesOf(13 + index, 13 + index)));
    await putUntilAccepted(endpoint, records);
    t.match(await cloud.flush(), { epochs: [{ maxSeq: 20, distinct: 20, gaps: [] }] });
  });

  await t.test(
    "a journal that has grown long is begun anew under load, and nothing is missing",
    async (t) => {
      const before = cloud.status().kinesisPid;
      let seq = 21;
      while (cloud.status().kinesisPid === before) {
        await putUntilAccepted(endpoint, [aggregated("k", linesOf(seq, seq + 9))]);
        seq += 10;
      }
      await putUntilAccepted(endpoint, [aggregated("k", linesOf(seq, seq + 9))]);
      const status = await cloud.flush();
      t.match(status.epochs, [{ maxSeq: seq + 9, distinct: seq + 9, gaps: [] }]);
      t.equal(status.lakeReadings, seq + 9);
    },
  );
});
