/**
 * What listens where producers send: hands every request to kinesis-local, and answers a put only when the accepted
 * records are on disk.
 *
 *   producer ──▶ front ──▶ kinesis-local          the API: checks, shards, sequence numbers
 *                  └─────▶ delivery, fsync        what "accepted" promises
 *   producer ◀── front
 */

import http from "node:http";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import { answerJson, endServer, listenOnLoopback, readBody } from "./http.ts";
import { answerOf, operationOf, outcomesOf, type Put, readPut, requestOf } from "./puts.ts";

/** Where the front's requests go. */
export interface Upstream {
  /** The stream whose records are delivered. */
  readonly stream: string;
  /** Of the kinesis-local at work. */
  readonly endpoint: string;
  /** Takes what Kinesis accepted; resolves when it is on disk. */
  accept(records: readonly Buffer[]): Promise<void>;
  /** The id of the shard that has no room for an entry of a put, or undefined. */
  fullShard(put: Put, at: number): string | undefined;
  /** Told of other requests than puts and reads: the shards may have changed. */
  changed(): Promise<void>;
}

/** Largest request taken, bytes: PutRecords' 10 MiB, in base64, with room for keys. */
export const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
const KINESIS_JSON = "application/x-amz-json-1.1";
const OVER_LIMIT = "ProvisionedThroughputExceededException";
/** The headers kinesis-local needs. */
const PASSED_ON = ["content-type", "x-amz-target", "authorization", "x-amz-date"] as const;

export class Front {
  readonly #upstream: Upstream;
  readonly #log: Logger;
  readonly #server: http.Server;

  constructor(upstream: Upstream, log: Logger) {
    this.#upstream = upstream;
    this.#log = log;
    // Longer than any client keeps an idle connection, so that it is never the server that closes under a request.
    this.#server = http.createServer(
      { keepAliveTimeout: 300_000 },
      (request, response) => void this.#serve(request, response),
    );
  }

  /** Listens on loopback; the port, which the system chooses for 0. */
  start(port: number): Promise<number> {
    return listenOnLoopback(this.#server, port, "the Kinesis endpoint");
  }

  /** Takes no more; resolves when all that was taken is answered. */
  stop(): Promise<void> {
    return endServer(this.#server);
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    try {
      const body = await readBody(request, MAX_REQUEST_BYTES);
      if (body === undefined) return refuse(response, 413, "RequestEntityTooLarge", "larger than 16 MiB");
      const put = readPut(this.#upstream.stream, request.headers, body);
      if (put !== undefined && "type" in put) return refuse(response, 400, put.type, put.message);
      if (put !== undefined) return await this.#put(request, put, response);
      const reply = await this.#ask(request, body);
      if (!operationOf(request.headers).startsWith("Get")) await this.#upstream.changed();
      send(response, reply);
    } catch (error) {
      const problem = messageOf(error);
      this.#log.warn({ problem }, "a request to the local Kinesis failed; the producer sends it again");
      refuse(response, 500, "InternalFailure", "the local Kinesis failed; try again");
    }
  }

  async #put(request: http.IncomingMessage, put: Put, response: http.ServerResponse): Promise<void> {
    const full = put.entries.map((_, at) => this.#upstream.fullShard(put, at));
    const outcomes = full.map((shard) => ({
      ErrorCode: OVER_LIMIT,
      ErrorMessage: `no more in ${shard} now`,
    }));
    const kept = [...full.keys()].filter((at) => full[at] === undefined);
    if (kept.length === 0 && !put.many) return refuse(response, 400, OVER_LIMIT, `no more in ${full[0]} now`);
    if (kept.length === 0) return send(response, { status: 200, body: answerOf(outcomes) });
    const reply = await this.#ask(request, requestOf(put, kept));
    if (reply.status !== 200) return send(response, reply);
    const answered = outcomesOf(put, reply.body);
    const accepted = kept.filter((_, index) => typeof answered[index]?.SequenceNumber === "string");
    await this.#upstream.accept(accepted.flatMap((at) => put.data[at] ?? []));
    if (kept.length === full.length) return send(response, reply);
    const merged = full.map((_, at) => answered[kept.indexOf(at)] ?? outcomes[at] ?? {});
    send(response, { status: 200, body: answerOf(merged) });
  }

  async #ask({ method = "POST", url = "/", headers }: http.IncomingMessage, body: Buffer): Promise<Reply> {
    const passed = new Headers();
    for (const name of PASSED_ON) if (headers[name] !== undefined) passed.set(name, `${headers[name]}`);
    const answer = await fetch(new URL(url, this.#upstream.endpoint), {
      method,
      headers: passed,
      ...(body.length > 0 ? { body } : {}),
    });
    return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
  }
}

interface Reply {
  status: number;
  body: Buffer;
}

function send(response: http.ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { "content-type": KINESIS_JSON });
  response.end(body);
}

function refuse(response: http.ServerResponse, status: number, type: string, message: string): void {
  answerJson(response, status, { __type: type, message }, KINESIS_JSON);
}
