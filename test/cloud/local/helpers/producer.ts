/** A gateway's part, for tests: readings in records of gzip members, put through the SDK, sent again until accepted. */

import { gzipSync } from "node:zlib";
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { SENSOR_TYPES } from "../../../../agent/contract/sensors.ts";
import { encodeShipped, type ShippedReading } from "../../../../agent/contract/shipped.ts";
import { localKinesisClient } from "../../../../cloud/local/kinesis-client.ts";

/** The reading that `seq` names, on `day` unless its fields say otherwise. */
export function readingOf(seq: number, fields: Partial<ShippedReading> = {}): ShippedReading {
  const atMs = Date.parse("2026-11-22T00:00:00.000Z") + (seq % 86_400) * 1_000;
  return {
    id: `R_${seq}`,
    data: (seq % 1000) / 10,
    type: SENSOR_TYPES[seq % 3] ?? "Power Factor",
    date: new Date(atMs).toISOString(),
    turbine: `T0${seq % 5}`,
    gateway: "gw-01",
    epoch: "e1",
    seq,
    received: new Date(atMs + 12).toISOString(),
    ...fields,
  };
}

/** Readings `first` to `last` as lines. */
export function linesOf(first: number, last: number, fields: Partial<ShippedReading> = {}): string {
  let text = "";
  for (let seq = first; seq <= last; seq++) text += encodeShipped(readingOf(seq, fields));
  return text;
}

/** One record of lines: a gzip member. */
export function packed(lines: string): Buffer {
  return gzipSync(lines);
}

/** Puts records until each is accepted, as the agent does. @param endpoint asked anew for each try */
export async function putUntilAccepted(
  endpoint: () => string,
  records: readonly Buffer[],
  stream = "windfarm-readings",
): Promise<void> {
  let rest = records.map((Data, index) => ({ Data, PartitionKey: `key-${index}-${Math.random()}` }));
  while (rest.length > 0) {
    const client = localKinesisClient(endpoint(), "us-east-1");
    try {
      const answer = await client.send(new PutRecordsCommand({ StreamName: stream, Records: rest }));
      const sent = rest;
      rest = sent.filter((_record, index) => answer.Records?.[index]?.SequenceNumber === undefined);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      client.destroy();
    }
  }
}
