/** The SDK's client for the local Kinesis, and the few calls the local cloud makes. */

import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Shard } from "./shard-limits.ts";

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

/** The stream's open shards: those that were not split or merged away. */
export async function openShards(client: KinesisClient, stream: string): Promise<Shard[]> {
  const found: Shard[] = [];
  let token: string | undefined;
  do {
    const input = token === undefined ? { StreamName: stream } : { NextToken: token };
    const answer = await client.send(new ListShardsCommand(input));
    for (const { ShardId: id = "", HashKeyRange: keys, SequenceNumberRange: numbers } of answer.Shards ??
      []) {
      if (numbers?.EndingSequenceNumber !== undefined) continue;
      found.push({ id, first: BigInt(keys?.StartingHashKey ?? 0), last: BigInt(keys?.EndingHashKey ?? 0) });
    }
    token = answer.NextToken;
  } while (token !== undefined);
  return found;
}
