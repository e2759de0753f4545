/**
 * The AWS client as the agent wants it: no retries, because those are ours (pace.ts), and HTTP/1.1, because an
 * HTTP/2 GOAWAY can surface as an uncaught error and end the process. It weighs a tenth of the agent's start: what is to be
 * ready before it ships loads this file later.
 */

import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { limitAnswer } from "./answer.ts";
import type { Credentials } from "./credentials.ts";
import type { Link } from "./link.ts";
import type { StreamSettings } from "./settings.ts";
import type { SinkRecord } from "./sink.ts";

/** Sends over `link`, and gives up on an answer that doesn't end. */
export class Handler extends NodeHttpHandler {
  constructor(link: Link, requestTimeoutMs: number) {
    super({
      connectionTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: link.httpAgent,
      httpsAgent: link.httpsAgent,
    });
  }

  override async handle(
    ...args: Parameters<NodeHttpHandler["handle"]>
  ): ReturnType<NodeHttpHandler["handle"]> {
    const { response } = await super.handle(...args);
    response.body = limitAnswer(response.body);
    return { response };
  }
}

/** A client for `settings`; the `handler` may be shared and stays the caller's to close. */
export function createClient(
  settings: StreamSettings,
  handler: NodeHttpHandler,
  credentials: Credentials,
): KinesisClient {
  return new KinesisClient({
    region: settings.region,
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    ...(credentials.identity === undefined ? {} : { credentials: credentials.identity }),
    requestHandler: handler,
    maxAttempts: 1,
    retryMode: "standard",
  });
}

/** What the service answers, as it came: readAnswer says what is to be believed of it. */
export function putRecords(
  client: KinesisClient,
  stream: string,
  records: readonly SinkRecord[],
  abortSignal: AbortSignal,
): Promise<unknown> {
  const Records = records.map(({ key, data }) => ({ PartitionKey: key, Data: data }));
  return client.send(new PutRecordsCommand({ StreamName: stream, Records }), { abortSignal });
}
