/**
 * The stream behind the service's API.
 *
 * The AWS client signs, sends and reads the answer, but the body of PutRecords is written here: the client encodes base64
 * in JavaScript, which alone took a third of the CPU time.
 */

import { type KinesisClient, PutRecordsCommand, type PutRecordsResultEntry } from "@aws-sdk/client-kinesis";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Fault } from "../errors.ts";
import { createClient, createHandler } from "./client.ts";
import { type CredentialDeps, createCredentials } from "./credentials.ts";
import { classify, shipFault } from "./errors.ts";
import { RequestBodies } from "./request.ts";
import { MAX_REQUEST_BYTES, type StreamSettings } from "./settings.ts";
import type { FailedRecord, Sink, SinkRecord } from "./sink.ts";

/** As many requests as are commonly under way. */
const KEPT_BODIES = 4;

export class KinesisSink implements Sink {
  readonly #settings: StreamSettings;
  readonly #deps: CredentialDeps;
  readonly #handler: NodeHttpHandler;
  readonly #bodies = new RequestBodies(MAX_REQUEST_BYTES, KEPT_BODIES);
  #client: KinesisClient;

  constructor(settings: StreamSettings, deps: CredentialDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#handler = createHandler(settings.requestTimeoutMs);
    this.#client = this.#newClient();
  }

  async put(records: readonly SinkRecord[], signal: AbortSignal): Promise<FailedRecord[]> {
    const { stream } = this.#settings;
    const body = this.#bodies.encode(stream, records);
    const command = new PutRecordsCommand({ StreamName: stream, Records: [] });
    command.middlewareStack.add(
      (next) => (args) => {
        setBody(args.request, body);
        return next(args);
      },
      { step: "build", priority: "high", name: "putRecordsBody" },
    );
    try {
      const answer = await this.#withinTime(signal, (abortSignal) =>
        this.#client.send(command, { abortSignal }),
      );
      const failed = this.#failed(records.length, answer.Records ?? []);
      this.#bodies.release(body);
      return failed;
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
  #withinTime<T>(signal: AbortSignal, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ended = new AbortController();
    const { requestTimeoutMs } = this.#settings;
    return new Promise<T>((resolve, reject) => {
      const end = (fault: Fault) => {
        reject(fault);
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

  /** Answers are by position; one that is missing or says nothing counts as a failure. */
  #failed(sent: number, answers: readonly PutRecordsResultEntry[]): FailedRecord[] {
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
  #fault(error: unknown): Fault {
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
