/**
 * The AWS client as the agent wants it: no retries, because those are ours (pace.ts), and HTTP/1.1, because an
 * HTTP/2 GOAWAY can surface as an uncaught error and end the process.
 */

import { KinesisClient } from "@aws-sdk/client-kinesis";
import type { NodeHttpHandler, NodeHttpHandlerOptions } from "@smithy/node-http-handler";
import type { Credentials } from "./credentials.ts";
import type { StreamSettings } from "./settings.ts";

const MAX_SOCKETS = 16;

/** Keep-alive connections; Node sets TCP_NODELAY on them by itself. */
export function handlerSettings(requestTimeoutMs: number): NodeHttpHandlerOptions {
  return {
    connectionTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
  };
}

/** A client for `settings`; the `handler` is shared and stays the caller's to close. */
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
    // Putting the chain of middleware together takes a tenth of a small request's time.
    cacheMiddleware: true,
  });
}
