/**
 * What is believed of an answer to PutRecords. Readings are deleted on its word, so it has to be of the right shape, length
 * and count, and to give each accepted record a sequence number; anything else counts as no answer at all.
 */

import { pipeline, Readable, Transform } from "node:stream";
import { z } from "zod";
import type { FailedRecord } from "./sink.ts";

/** 500 records with an error's message each take about half of this. */
const MAX_ANSWER_BYTES = 1024 * 1024;

const Accepted = z.object({
  SequenceNumber: z.string().regex(/^(0|[1-9]\d{0,128})$/),
  ErrorCode: z.null().optional(),
});
const Failed = z.object({ ErrorCode: z.string().min(1), SequenceNumber: z.null().optional() });
const Answer = z.object({
  FailedRecordCount: z.int(),
  Records: z.array(z.union([Accepted, Failed])),
});

/** The records not accepted, by position; or what is wrong with the answer to a request of `sent` records. */
export function readAnswer(sent: number, said: unknown): FailedRecord[] | string {
  const answer = Answer.safeParse(said);
  if (!answer.success) return `the answer is none: ${z.prettifyError(answer.error).replaceAll("\n", " ")}`;
  const { FailedRecordCount, Records } = answer.data;
  if (Records.length !== sent) return `${Records.length} answers for ${sent} records`;
  const failed: FailedRecord[] = [];
  for (const [index, entry] of Records.entries()) {
    if (typeof entry.ErrorCode === "string") failed.push({ index, errorCode: entry.ErrorCode });
  }
  if (failed.length !== FailedRecordCount)
    return `${FailedRecordCount} records are said to have failed, and ${failed.length} have`;
  return failed;
}

class AnswerTooLong extends Error {
  readonly code = "ERR_ANSWER_TOO_LONG";

  constructor() {
    super(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
  }
}

/** `body`, broken off with an error where it is too long; what is no stream as it is. */
export function limitAnswer(body: unknown): unknown {
  if (!(body instanceof Readable)) return body;
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) done(new AnswerTooLong());
      else done(null, chunk);
    },
  });
  // Whoever reads `limit` hears of its end and of its error.
  return pipeline(body, limit, () => {});
}
