/**
 * The AWS client as the agent wants it: no retries, because those are ours (pace.ts), and HTTP/1.1, because an
 * HTTP/2 GOAWAY can surface as an uncaught error and end the process.
 */

import { KinesisClient } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { limitAnswer } from "./answer.ts";
import type { Credentials } from "./credentials.ts";
import type { Link } from "./link.ts";
import type { StreamSettings } from "./settings.ts";

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
