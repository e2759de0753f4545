/** PutRecord and PutRecords as Kinesis' API has them: what is asked, what is beyond the limits, what is answered. */

import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";

/** Kinesis' limits on a put: records, bytes of one with its key, bytes of all. */
export const PUT_LIMITS = { records: 500, recordBytes: 1024 * 1024, requestBytes: 10 * 1024 * 1024 } as const;

/** A stream is named by its name, or by its ARN, which ends in it. */
const named = { StreamName: z.string().optional(), StreamARN: z.string().optional() };
const Entry = z.looseObject({
  Data: z.base64(),
  PartitionKey: z.string(),
  ExplicitHashKey: z.string().regex(/^\d+$/).optional(),
});
const PutRecord = Entry.extend(named);
const PutRecords = z.looseObject({ ...named, Records: z.array(Entry) });
/** kinesis-local says null for what there isn't. */
const Text = z.string().nullish();
const Outcome = z.looseObject({ SequenceNumber: Text, ShardId: Text, ErrorCode: Text });
export type Outcome = z.infer<typeof Outcome>;
const PutRecordsAnswer = z.looseObject({ Records: z.array(Outcome) });

export interface Put {
  many: boolean;
  entries: z.infer<typeof Entry>[];
  /** The payloads, position by position. */
  data: Buffer[];
  /** What else the request says. */
  fields: Record<string, unknown>;
}

/** A put that Kinesis would not take, or that we can't read. */
export interface Refusal {
  type: string;
  message: string;
}

/** The operation a request names, such as `PutRecords`. */
export function operationOf(headers: IncomingHttpHeaders): string {
  return `${headers["x-amz-target"] ?? ""}`.split(".").at(-1) ?? "";
}

/** A put to `stream`; undefined for any other request, which goes to Kinesis as it is. */
export function readPut(
  stream: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Put | Refusal | undefined {
  const operation = operationOf(headers);
  if (operation !== "PutRecord" && operation !== "PutRecords") return undefined;
  if (/cbor/.test(headers["content-type"] ?? "")) {
    return refused("SerializationException", "the local cloud reads JSON only: set AWS_CBOR_DISABLE=true");
  }
  const many = operation === "PutRecords";
  const asked = (many ? PutRecords : PutRecord).safeParse(parse(body));
  if (!asked.success) return undefined;
  const { StreamName: name, StreamARN: arn } = asked.data;
  if (name !== stream && arn?.split("/").at(-1) !== stream) return undefined;
  const entries =
    "Records" in asked.data ? z.array(Entry).parse(asked.data.Records) : [Entry.parse(asked.data)];
  const data = entries.map((entry) => Buffer.from(entry.Data, "base64"));
  return (
    beyondLimits(entries.map(({ PartitionKey }, at) => [PartitionKey, data[at]?.length ?? 0])) ?? {
      many,
      entries,
      data,
      fields: asked.data,
    }
  );
}

/** The request with those entries only whose positions are `kept`. */
export function requestOf({ many, entries, fields }: Put, kept: readonly number[]): Buffer {
  const request = many ? { ...fields, Records: kept.map((at) => entries[at]) } : fields;
  return Buffer.from(JSON.stringify(request));
}

/** What Kinesis says of each entry it was given. */
export function outcomesOf({ many }: Put, answer: Buffer): Outcome[] {
  if (!many) return [Outcome.parse(parse(answer))];
  return PutRecordsAnswer.parse(parse(answer)).Records;
}

/** PutRecords' answer. */
export function answerOf(outcomes: readonly Outcome[]): Buffer {
  const failed = outcomes.filter(({ ErrorCode: code }) => typeof code === "string").length;
  return Buffer.from(
    JSON.stringify({ FailedRecordCount: failed, Records: outcomes, EncryptionType: "NONE" }),
  );
}

function beyondLimits(entries: readonly [key: string, bytes: number][]): Refusal | undefined {
  const { records, recordBytes, requestBytes } = PUT_LIMITS;
  const refuse = (message: string) => refused("ValidationException", message);
  if (entries.length > records) return refuse(`${entries.length} records; a request takes ${records}`);
  const sizes = entries.map(([key, bytes]) => bytes + Buffer.byteLength(key));
  const largest = Math.max(0, ...sizes);
  if (largest > recordBytes)
    return refuse(`a record of ${largest} bytes with its key; one takes ${recordBytes}`);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return all > requestBytes ? refuse(`records of ${all} bytes; a request takes ${requestBytes}`) : undefined;
}

function refused(type: string, message: string): Refusal {
  return { type, message };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
