/** The SDK's client for the local Kinesis, and the few calls the local cloud makes. */

import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** A client that speaks HTTP/1.1 to a loopback endpoint, signed with credentials nobody checks. */
export function localKinesisClient(endpoint: string, region: string): KinesisClient {
  return new KinesisClient({
    endpoint,
    region,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    requestHandler: new NodeHttpHandler({ connectionTimeout: 2_000, requestTimeout: 30_000 }),
    maxAttempts: 3,
  });
}

/** Creates the stream unless it is there, and waits until it takes records. */
export async function ensureStream(client: KinesisClient, stream: string, shards: number): Promise<void> {
  try {
    await client.send(new DescribeStreamSummaryCommand({ StreamName: stream }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: shards }));
  }
  for (;;) {
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName: stream }));
    if (answer.StreamDescriptionSummary?.StreamStatus === "ACTIVE") return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The ids of all shards of the stream, closed ones included. */
export async function shardIds(client: KinesisClient, stream: string): Promise<string[]> {
  const ids: string[] = [];
  let token: string | undefined;
  do {
    const input = token === undefined ? { StreamName: stream } : { NextToken: token };
    const answer = await client.send(new ListShardsCommand(input));
    for (const shard of answer.Shards ?? []) if (shard.ShardId !== undefined) ids.push(shard.ShardId);
    token = answer.NextToken;
  } while (token !== undefined);
  return ids;
}
