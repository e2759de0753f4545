/**
 * The stream behind the service's API.
 *
 * The AWS client signs, sends and reads the answer, but the body of PutRecords is written here: the client encodes base64
 * in JavaScript, which alone took a third of the CPU time.
 */

import type { PutRecordsResultEntry } from "@aws-sdk/client-kinesis";
import type { Fault } from "../errors.ts";
import { createClient, handlerSettings } from "./client.ts";
import { type CredentialDeps, createCredentials } from "./credentials.ts";
import { classify, shipFault } from "./errors.ts";
import { PutRecords, SignalledHandler } from "./put-records.ts";
import { RequestBodies } from "./request.ts";
import { MAX_REQUEST_BYTES, type StreamSettings } from "./settings.ts";
import type { FailedRecord, Sink, SinkRecord } from "./sink.ts";

/** As many requests as are commonly under way. */
const KEPT_BODIES = 4;

export class KinesisSink implements Sink {
  readonly #settings: StreamSettings;
  readonly #deps: CredentialDeps;
  readonly #handler: SignalledHandler;
  readonly #bodies = new RequestBodies(MAX_REQUEST_BYTES, KEPT_BODIES);
  #requests: PutRecords;

  constructor(settings: StreamSettings, deps: CredentialDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#handler = new SignalledHandler(handlerSettings(settings.requestTimeoutMs));
    this.#requests = this.#newRequests();
  }

  async put(records: readonly SinkRecord[], signal: AbortSignal): Promise<FailedRecord[]> {
    const { stream } = this.#settings;
    const body = this.#bodies.encode(stream, records);
    try {
      const answers = await this.#withinTime(signal, (ended) => this.#requests.send(body, ended));
      const failed = this.#failed(records.length, answers);
      this.#bodies.release(body);
      return failed;
    } catch (error) {
      throw this.#fault(error);
    }
  }

  close(): void {
    this.#requests.close();
    this.#handler.destroy();
  }

  #newRequests(): PutRecords {
    const credentials = createCredentials(this.#settings, this.#deps);
    const client = createClient(this.#settings, this.#handler, credentials);
    return new PutRecords(client, this.#handler, this.#settings.stream);
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
      this.#requests = this.#newRequests();
    }
    return fault;
  }
}
