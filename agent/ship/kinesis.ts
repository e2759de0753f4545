/**
 * The stream behind the service's API.
 *
 * The AWS client signs, sends and reads the answer, but the body of PutRecords is written here: the client encodes base64
 * in JavaScript, which alone took a third of the CPU time. Retries are ours (pace.ts), so the client makes none, and the
 * transport is HTTP/1.1, because an HTTP/2 GOAWAY can surface as an uncaught error.
 */

import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { type CredentialDeps, createCredentials } from "./credentials.ts";
import { classify, shipFault } from "./errors.ts";
import { encodePutRecords } from "./request.ts";
import type { StreamSettings } from "./settings.ts";

/** What a request consists of. */
export interface SinkRecord {
  key: string;
  data: Buffer;
}

/** A record that was not accepted, by its position in the request. */
export interface FailedRecord {
  index: number;
  errorCode: string;
}

export interface Sink {
  /** The records not accepted. Rejects with a Fault where nothing is known to be accepted. */
  put(records: readonly SinkRecord[], signal: AbortSignal): Promise<FailedRecord[]>;
  /** Ends all connections. */
  close(): void;
}

export function createSink(settings: StreamSettings, deps: CredentialDeps): Sink {
  return new KinesisSink(settings, deps);
}

/** A client for `settings`; `handler` and credentials are the caller's to close. */
export function createClient(
  settings: StreamSettings,
  handler: NodeHttpHandler,
  credentials: ReturnType<typeof createCredentials>,
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

/** Keep-alive connections; Node sets TCP_NODELAY on them by itself. */
export function createHandler(requestTimeoutMs: number): NodeHttpHandler {
  return new NodeHttpHandler({
    connectionTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: 16 },
    httpsAgent: { keepAlive: true, maxSockets: 16 },
  });
}

class KinesisSink implements Sink {
  readonly #settings: StreamSettings;
  readonly #deps: CredentialDeps;
  readonly #handler: NodeHttpHandler;
  #client: KinesisClient;

  constructor(settings: StreamSettings, deps: CredentialDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#handler = createHandler(settings.requestTimeoutMs);
    this.#client = this.#newClient();
  }

  async put(records: readonly SinkRecord[], signal: AbortSignal): Promise<FailedRecord[]> {
    const command = new PutRecordsCommand({ StreamName: this.#settings.stream, Records: [] });
    command.middlewareStack.add(
      (next) => (args) => {
        setBody(args.request, encodePutRecords(this.#settings.stream, records));
        return next(args);
      },
      { step: "build", priority: "high", name: "putRecordsBody" },
    );
    try {
      const answer = await this.#withinTime(signal, (abortSignal) =>
        this.#client.send(command, { abortSignal }),
      );
      return this.#failed(records.length, answer.Records ?? []);
    } catch (error) {
      throw this.#fault(error);
    }
  }

  close(): void {
    this.#client.destroy();
    this.#handler.destroy();
  }

  #newClient(): KinesisClient {
    return createClient(this.#settings, this.#handler, createCredentials(this.#settings, this.#deps));
  }

  /** The whole exchange has a time limit, also an answer that comes in drops. */
  async #withinTime<T>(signal: AbortSignal, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ended = new AbortController();
    const { requestTimeoutMs } = this.#settings;
    return new Promise<T>((resolve, reject) => {
      const end = (error: Error) => {
        reject(error);
        ended.abort();
      };
      const late = () =>
        end(shipFault("ship.timeout", `no complete answer within ${requestTimeoutMs} ms`, this.#settings));
      const stopped = () => end(shipFault("ship.connection_lost", "the agent is stopping", this.#settings));
      const timer = setTimeout(late, requestTimeoutMs);
      signal.addEventListener("abort", stopped, { once: true });
      if (signal.aborted) stopped();
      send(ended.signal)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          signal.removeEventListener("abort", stopped);
        });
    });
  }

  #failed(
    sent: number,
    answers: readonly { SequenceNumber?: string | undefined; ErrorCode?: string | undefined }[],
  ): FailedRecord[] {
    if (answers.length !== sent) {
      const detail = `${answers.length} answers for ${sent} records`;
      throw shipFault("ship.invalid_request", detail, this.#settings);
    }
    const failed: FailedRecord[] = [];
    for (const [index, { SequenceNumber, ErrorCode }] of answers.entries()) {
      if (ErrorCode === undefined && SequenceNumber !== undefined) continue;
      failed.push({ index, errorCode: ErrorCode ?? "no sequence number" });
    }
    return failed;
  }

  /** Credentials found wanting are thrown away, so that the next try asks for new ones. */
  #fault(error: unknown) {
    const fault = classify(error, this.#settings, this.#deps.now());
    if (fault.code === "ship.credentials_expired" || fault.code === "ship.credentials_invalid") {
      this.#client = this.#newClient();
    }
    return fault;
  }
}

function setBody(request: unknown, body: Buffer): void {
  if (typeof request === "object" && request !== null && "body" in request) request.body = body;
}
