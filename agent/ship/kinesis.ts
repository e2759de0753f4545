/** The stream behind the service's API: the AWS client signs and sends, and its answers are read closely (answer.ts). */

import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { Fault } from "../errors.ts";
import { readAnswer } from "./answer.ts";
import type { Handler } from "./client.ts";
import { type CredentialDeps, type Credentials, createCredentials } from "./credentials.ts";
import { classify, shipFault } from "./errors.ts";
import type { Link } from "./link.ts";
import type { StreamSettings } from "./settings.ts";
import type { FailedRecord, Sink, SinkIdentity, SinkRecord } from "./sink.ts";

export class KinesisSink implements Sink {
  readonly #settings: StreamSettings;
  readonly #link: Link;
  readonly #deps: CredentialDeps;
  #handler: Handler | undefined;
  #credentials: Credentials;
  /** Absent before the first request, and after credentials that were found wanting. */
  #client: KinesisClient | undefined;

  constructor(settings: StreamSettings, link: Link, deps: CredentialDeps) {
    this.#settings = settings;
    this.#link = link;
    this.#deps = deps;
    this.#credentials = createCredentials(settings, link, deps);
  }

  identity(): SinkIdentity {
    const { described, secondsLeft } = this.#credentials;
    return { described, secondsLeft: secondsLeft?.() };
  }

  async put(records: readonly SinkRecord[]): Promise<FailedRecord[]> {
    const { requestTimeoutMs } = this.#settings;
    // For the whole exchange, also for an answer that comes in drops.
    const late = AbortSignal.timeout(requestTimeoutMs);
    try {
      const answer = await this.#send(records, late);
      const failed = readAnswer(records.length, answer);
      if (typeof failed === "string") throw shipFault("ship.invalid_request", failed, this.#settings);
      return failed;
    } catch (error) {
      if (late.aborted)
        throw shipFault("ship.timeout", `no complete answer within ${requestTimeoutMs} ms`, this.#settings);
      throw this.#fault(error);
    }
  }

  close(): void {
    this.#client?.destroy();
    this.#link.close();
  }

  async #send(records: readonly SinkRecord[], late: AbortSignal): Promise<unknown> {
    // Read with the first request: a tenth of the start, and what is collected meanwhile is on the disk.
    const { createClient, Handler, putRecords } = await import("./client.ts");
    this.#handler ??= new Handler(this.#link, this.#settings.requestTimeoutMs);
    this.#client ??= createClient(this.#settings, this.#handler, this.#credentials);
    return putRecords(this.#client, this.#settings.stream, records, late);
  }

  /** Credentials found wanting are thrown away, so that the next try asks for new ones. */
  #fault(error: unknown): Fault {
    const fault = classify(error, this.#settings, this.#deps.now());
    if (fault.code === "ship.credentials_expired" || fault.code === "ship.credentials_invalid") {
      this.#credentials = createCredentials(this.#settings, this.#link, this.#deps);
      this.#client = undefined;
    }
    return fault;
  }
}
