/** Requests and answers of the Kinesis API, with payloads changed for tokens on the way in and back on the way out. */

import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import type { Claims } from "./claims.ts";
import type { StreamRecord } from "./journal.ts";

/** Kinesis' limits on a put: records, bytes of one with its key, bytes of all. */
export const PUT_LIMITS = { records: 500, recordBytes: 1024 * 1024, requestBytes: 10 * 1024 * 1024 } as const;

/** A stream is named by its name, or by its ARN, which ends in it. */
const named = { StreamName: z.string().optional(), StreamARN: z.string().optional() };
const Entry = z.looseObject({ Data: z.string(), PartitionKey: z.string() });
const PutRecord = Entry.extend(named);
const PutRecords = z.looseObject({ ...named, Records: z.array(Entry) });
const Outcome = z.object({ ShardId: z.string().optional(), SequenceNumber: z.string().optional() });
const PutRecordsAnswer = z.object({ Records: z.array(Outcome) });
const GetRecordsAnswer = z.looseObject({ Records: z.array(z.looseObject({ Data: z.string() })) });

/** A put to the journalled stream, on its way. */
export interface Put {
  /** What kinesis-local gets. */
  body: Buffer;
  held: { token: string; data: Buffer }[];
}

export interface Refusal {
  type: string;
  message: string;
}

/** The operation a request names, such as `PutRecords`. */
export function operationOf(headers: IncomingHttpHeaders): string {
  return (
    String(headers["x-amz-target"] ?? "")
      .split(".")
      .at(-1) ?? ""
  );
}

/**
 * A put to the stream as kinesis-local gets it; undefined for any other request, which goes as it is. So does a put in CBOR
 * (the Java SDK, unless AWS_CBOR_DISABLE is set): it is delivered, but not journalled.
 */
export function takePut(
  stream: string,
  operation: string,
  body: Buffer,
  claims: Claims,
): Put | Refusal | undefined {
  if (operation !== "PutRecord" && operation !== "PutRecords") return undefined;
  const asked =
    operation === "PutRecord" ? PutRecord.safeParse(parse(body)) : PutRecords.safeParse(parse(body));
  if (!asked.success) return undefined;
  const { StreamName: name, StreamARN: arn } = asked.data;
  if (name !== stream && arn?.split("/").at(-1) !== stream) return undefined;
  const entries =
    "Records" in asked.data ? z.array(Entry).parse(asked.data.Records) : [Entry.parse(asked.data)];
  const held = entries.map(({ Data, PartitionKey }) => ({
    data: Buffer.from(Data, "base64"),
    key: PartitionKey,
  }));
  const refusal = beyondLimits(held);
  if (refusal !== undefined) return refusal;
  const tokens = held.map(({ data }) => ({ token: claims.hold(data), data }));
  const changed = entries.map((entry, index) => ({
    ...entry,
    Data: Buffer.from(tokens[index]?.token ?? "").toString("base64"),
  }));
  const request = operation === "PutRecord" ? changed[0] : { ...asked.data, Records: changed };
  return { body: Buffer.from(JSON.stringify(request)), held: tokens };
}

/** By Kinesis' answer: puts the accepted records on disk, forgets the others. */
export async function settlePut(
  put: Put,
  answer: Buffer | undefined,
  claims: Claims,
): Promise<StreamRecord[]> {
  const outcomes = answer === undefined ? [] : outcomesOf(answer);
  const accepted: { token: string; record: StreamRecord }[] = [];
  for (const [index, { token, data }] of put.held.entries()) {
    const { ShardId: shard, SequenceNumber: sequence } = outcomes[index] ?? {};
    if (shard === undefined || sequence === undefined) claims.release(token);
    else accepted.push({ token, record: { shard, sequence, data, arrivedMs: Date.now() } });
  }
  if (accepted.length > 0) await claims.journal(accepted);
  return accepted.map(({ record }) => record);
}

/** GetRecords' answer with the payloads in their place. */
export async function withPayloads(answer: Buffer, claims: Claims): Promise<Buffer> {
  const found = GetRecordsAnswer.safeParse(parse(answer));
  if (!found.success) return answer;
  const records = found.data.Records.map(async (record) => {
    const payload = await claims.payload(Buffer.from(record.Data, "base64"));
    return { ...record, Data: payload.toString("base64") };
  });
  return Buffer.from(JSON.stringify({ ...found.data, Records: await Promise.all(records) }));
}

function outcomesOf(answer: Buffer): z.infer<typeof Outcome>[] {
  const json = parse(answer);
  const many = PutRecordsAnswer.safeParse(json);
  if (many.success) return many.data.Records;
  const one = Outcome.safeParse(json);
  return one.success ? [one.data] : [];
}

function beyondLimits(entries: readonly { data: Buffer; key: string }[]): Refusal | undefined {
  const refuse = (message: string) => ({ type: "ValidationException", message });
  const { records, recordBytes, requestBytes } = PUT_LIMITS;
  if (entries.length > records) return refuse(`${entries.length} records; a request takes ${records}`);
  const sizes = entries.map(({ data, key }) => data.length + Buffer.byteLength(key));
  const largest = Math.max(0, ...sizes);
  if (largest > recordBytes)
    return refuse(`a record of ${largest} bytes with its key; one takes ${recordBytes}`);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return all > requestBytes ? refuse(`records of ${all} bytes; a request takes ${requestBytes}`) : undefined;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
