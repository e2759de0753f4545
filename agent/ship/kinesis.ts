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

interface Attempt {
  records: readonly SinkRecord[];
  /** Ends the whole exchange, also one whose answer comes in drops. */
  late: AbortSignal;
  /** The source of credentials has answered. */
  identified: boolean;
}

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
    const late = AbortSignal.timeout(requestTimeoutMs);
    const attempt = { records, late, identified: false };
    try {
      const answer = await Promise.race([this.#send(attempt), rejectedBy(late)]);
      const failed = readAnswer(records.length, answer);
      if (typeof failed === "string") throw shipFault("ship.invalid_request", failed, this.#settings);
      return failed;
    } catch (error) {
      if (!late.aborted) throw this.#fault(error);
      if (!attempt.identified) this.#forgetCredentials();
      throw shipFault("ship.timeout", `no complete answer within ${requestTimeoutMs} ms`, this.#settings);
    }
  }

  close(): void {
    this.#client?.destroy();
    this.#link.close();
  }

  async #send(attempt: Attempt): Promise<unknown> {
    // Read with the first request: a tenth of the start, and what is collected meanwhile is on the disk.
    const { createClient, Handler, putRecords } = await import("./client.ts");
    this.#handler ??= new Handler(this.#link, this.#settings.requestTimeoutMs);
    this.#client ??= createClient(this.#settings, this.#handler, this.#credentials);
    const client = this.#client;
    await client.config.credentials();
    attempt.identified = true;
    return putRecords(client, this.#settings.stream, attempt.records, attempt.late);
  }

  /** Credentials found wanting are thrown away, so that the next try asks for new ones. */
  #fault(error: unknown): Fault {
    const fault = classify(error, this.#settings, this.#deps.now());
    if (fault.code === "ship.credentials_expired" || fault.code === "ship.credentials_invalid")
      this.#forgetCredentials();
    return fault;
  }

  #forgetCredentials(): void {
    this.#credentials = createCredentials(this.#settings, this.#link, this.#deps);
    this.#client = undefined;
  }
}

/** The client ends an exchange that is late, but waits for ever for a source of credentials that says nothing. */
function rejectedBy(late: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    late.addEventListener("abort", () => reject(late.reason), { once: true });
  });
}
