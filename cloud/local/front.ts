/**
 * What listens where producers send: hands every request to kinesis-local, and answers a put only when the accepted
 * records are in the journal.
 *
 *   producer ──▶ front ──▶ kinesis-local          the API: checks, shards, sequence numbers
 *                  └─────▶ journal, fsync         what "accepted" promises
 *   producer ◀── front
 *
 * While kinesis-local is being replaced requests wait; a request that waits too long is told to come again.
 */

import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { codeOf, Fault, messageOf } from "../../agent/errors.ts";
import type { Claims } from "./claims.ts";
import { operationOf, settlePut, takePut, withPayloads } from "./exchange.ts";
import type { StreamRecord } from "./journal.ts";

/** A kinesis-local and its journal, while both take records. */
export interface Upstream {
  readonly endpoint: string;
  readonly claims: Claims;
  /** Told of records when they are on disk. */
  accepted(records: readonly StreamRecord[]): void;
}

/** Largest request taken, bytes: PutRecords' 10 MiB, in base64, with room for keys. */
export const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
/** How long a request waits for kinesis-local to come back, ms. */
const WAIT_MS = 10_000;

export class Front {
  readonly #stream: string;
  readonly #log: Logger;
  readonly #server: http.Server;
  readonly #agent = new http.Agent({ keepAlive: true });
  #upstream: Upstream | undefined;
  #waiting: (() => void)[] = [];
  #busy = 0;
  #onQuiet: (() => void)[] = [];

  constructor(stream: string, log: Logger) {
    this.#stream = stream;
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

  /** Requests go to `upstream` from now on. */
  open(upstream: Upstream): void {
    this.#upstream = upstream;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Requests wait from now on; resolves when none is under way. */
  async close(): Promise<void> {
    this.#upstream = undefined;
    if (this.#busy > 0) await new Promise<void>((resolve) => this.#onQuiet.push(resolve));
  }

  async stop(): Promise<void> {
    await this.close();
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      if (body === undefined)
        return answer(response, 413, "RequestEntityTooLarge", "the request is larger than 16 MiB");
      const upstream = await this.#opened();
      if (upstream === undefined) {
        return answer(response, 503, "ServiceUnavailable", "the local Kinesis is starting; try again");
      }
      this.#busy++;
      try {
        await this.#forward(upstream, request, body, response);
      } finally {
        if (--this.#busy === 0) for (const quiet of this.#onQuiet.splice(0)) quiet();
      }
    } catch (error) {
      this.#log.warn(
        { problem: messageOf(error) },
        "a request to the local Kinesis failed; the producer sends it again",
      );
      answer(response, 500, "InternalFailure", "the local Kinesis failed; try again");
    }
  }

  async #forward(
    upstream: Upstream,
    request: http.IncomingMessage,
    body: Buffer,
    response: http.ServerResponse,
  ): Promise<void> {
    const operation = operationOf(request.headers);
    const put = takePut(this.#stream, operation, body, upstream.claims);
    if (put !== undefined && "type" in put) return answer(response, 400, put.type, put.message);
    const reply = await this.#ask(upstream.endpoint, request, put?.body ?? body);
    if (put !== undefined) {
      const answered = reply.status === 200 ? reply.body : undefined;
      upstream.accepted(await settlePut(put, answered, upstream.claims));
    }
    const out = operation === "GetRecords" ? await withPayloads(reply.body, upstream.claims) : reply.body;
    response.writeHead(reply.status, { ...reply.headers, "content-length": out.length });
    response.end(out);
  }

  #ask(endpoint: string, request: http.IncomingMessage, body: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { method, url, headers } = request;
      const target = new URL(url ?? "/", endpoint);
      const upstream = http.request(target, {
        agent: this.#agent,
        ...(method === undefined ? {} : { method }),
        headers: { ...withoutHopHeaders(headers), "content-length": body.length },
      });
      upstream.once("error", reject);
      upstream.once("response", (answered) => {
        readBody(answered).then((answerBody = Buffer.alloc(0)) => {
          const headers = withoutHopHeaders(answered.headers);
          resolve({ status: answered.statusCode ?? 502, headers, body: answerBody });
        }, reject);
      });
      upstream.end(body);
    });
  }

  async #opened(): Promise<Upstream | undefined> {
    if (this.#upstream === undefined) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        setTimeout(resolve, WAIT_MS).unref();
      });
    }
    return this.#upstream;
  }
}

interface Reply {
  status: number;
  headers: http.OutgoingHttpHeaders;
  body: Buffer;
}

const HOP_HEADERS = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "expect",
  "upgrade",
]);

function withoutHopHeaders(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_HEADERS.has(name)));
}

/** The whole body, or undefined where it is too large. */
async function readBody(message: http.IncomingMessage): Promise<Buffer | undefined> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += chunk.length;
    if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
    else chunks = [];
  }
  return bytes <= MAX_REQUEST_BYTES ? Buffer.concat(chunks) : undefined;
}

function answer(response: http.ServerResponse, status: number, type: string, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
  response.end(JSON.stringify({ __type: type, message }));
}

/** Listens on 127.0.0.1; a port that is taken is said as a Fault that names `what`. */
export function listenOnLoopback(server: http.Server, port: number, what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(codeOf(error) === "EADDRINUSE" ? portTaken(port, what) : error));
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function portTaken(port: number, what: string): Fault {
  return new Fault(
    "cloud.port_taken",
    `port ${port} on 127.0.0.1, for ${what}, is in use by another program`,
    {
      hint: "stop that program (is another local cloud running?) or choose another port; --help names the option",
    },
  );
}
