/** Reads a whole stream by its API, and takes its records apart. */

import { gunzipSync } from "node:zlib";
import {
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import { z } from "zod";

const Shipped = z.looseObject({ id: z.string(), turbine: z.string(), type: z.string(), seq: z.number() });
export type Shipped = z.infer<typeof Shipped>;

/** Every reading in every shard, as it was shipped. */
export async function readStream(client: KinesisClient, stream: string): Promise<Shipped[]> {
  const { Shards } = await client.send(new ListShardsCommand({ StreamName: stream }));
  const readings: Shipped[] = [];
  for (const { ShardId } of Shards ?? []) readings.push(...(await readShard(client, stream, ShardId)));
  return readings;
}

async function readShard(
  client: KinesisClient,
  stream: string,
  shard: string | undefined,
): Promise<Shipped[]> {
  const readings: Shipped[] = [];
  const first = await client.send(
    new GetShardIteratorCommand({ StreamName: stream, ShardId: shard, ShardIteratorType: "TRIM_HORIZON" }),
  );
  let iterator = first.ShardIterator;
  while (iterator !== undefined) {
    const page: GetRecordsCommandOutput = await client.send(
      new GetRecordsCommand({ ShardIterator: iterator }),
    );
    for (const { Data } of page.Records ?? []) readings.push(...unpack(Data ?? new Uint8Array()));
    iterator =
      page.Records?.length === 0 && page.MillisBehindLatest === 0 ? undefined : page.NextShardIterator;
  }
  return readings;
}

/** The readings in a record of gzip members, without the gateway's own state. */
function unpack(record: Uint8Array): Shipped[] {
  const lines = gunzipSync(record).toString("utf8").trimEnd().split("\n");
  return lines.filter((line) => !line.startsWith('{"kind":')).map((line) => Shipped.parse(JSON.parse(line)));
}
