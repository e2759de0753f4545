/** The stream behind the service's API: the AWS client signs and sends, and its answers are read closely (answer.ts). */

import { type KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import type { Fault } from "../errors.ts";
import { readAnswer } from "./answer.ts";
import { createClient, Handler } from "./client.ts";
import { type CredentialDeps, type Credentials, createCredentials } from "./credentials.ts";
import { classify, shipFault } from "./errors.ts";
import type { Link } from "./link.ts";
import type { StreamSettings } from "./settings.ts";
import type { FailedRecord, Sink, SinkIdentity, SinkRecord } from "./sink.ts";

export class KinesisSink implements Sink {
  readonly #settings: StreamSettings;
  readonly #link: Link;
  readonly #deps: CredentialDeps;
  readonly #handler: Handler;
  #credentials: Credentials;
  #client: KinesisClient;

  constructor(settings: StreamSettings, link: Link, deps: CredentialDeps) {
    this.#settings = settings;
    this.#link = link;
    this.#deps = deps;
    this.#handler = new Handler(link, settings.requestTimeoutMs);
    this.#credentials = createCredentials(settings, link, deps);
    this.#client = createClient(settings, this.#handler, this.#credentials);
  }

  identity(): SinkIdentity {
    const { described, secondsLeft } = this.#credentials;
    const left = secondsLeft?.();
    return { described, ...(left === undefined ? {} : { secondsLeft: left }) };
  }

  async put(records: readonly SinkRecord[], signal: AbortSignal): Promise<FailedRecord[]> {
    const { stream } = this.#settings;
    const Records = records.map(({ key, data }) => ({ PartitionKey: key, Data: data }));
    const command = new PutRecordsCommand({ StreamName: stream, Records });
    try {
      const answer = await this.#withinTime(signal, (abortSignal) =>
        this.#client.send(command, { abortSignal }),
      );
      const failed = readAnswer(records.length, answer);
      if (typeof failed === "string") throw shipFault("ship.invalid_request", failed, this.#settings);
      return failed;
    } catch (error) {
      throw this.#fault(error);
    }
  }

  close(): void {
    this.#client.destroy();
    this.#link.close();
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

  /** Credentials found wanting are thrown away, so that the next try asks for new ones. */
  #fault(error: unknown): Fault {
    const fault = classify(error, this.#settings, this.#deps.now());
    if (fault.code === "ship.credentials_expired" || fault.code === "ship.credentials_invalid") {
      this.#credentials = createCredentials(this.#settings, this.#link, this.#deps);
      this.#client = createClient(this.#settings, this.#handler, this.#credentials);
    }
    return fault;
  }
}
