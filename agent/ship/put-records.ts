/**
 * PutRecords through the AWS client, which signs, sends and reads the answer. The body is written by us (request.ts), and
 * what belongs to one request goes beside its command, not into the client's options: the client keeps its chain of
 * middleware from one request to the next only for commands sent without any.
 */

import { type KinesisClient, PutRecordsCommand, type PutRecordsResultEntry } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

type Handle = NodeHttpHandler["handle"];

/** Ends a request when the signal given for its body says so. */
export class SignalledHandler extends NodeHttpHandler {
  readonly signals = new WeakMap<object, AbortSignal>();

  override handle(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    const abortSignal = isObject(request.body) ? this.signals.get(request.body) : undefined;
    return super.handle(request, abortSignal === undefined ? options : { ...options, abortSignal });
  }
}

export class PutRecords {
  readonly #client: KinesisClient;
  readonly #handler: SignalledHandler;
  readonly #stream: string;
  readonly #bodies = new WeakMap<object, Buffer>();

  /** Adds to the middleware of `client`, whose handler is `handler`. */
  constructor(client: KinesisClient, handler: SignalledHandler, stream: string) {
    this.#client = client;
    this.#handler = handler;
    this.#stream = stream;
    client.middlewareStack.add(
      (next) => (args) => {
        const body = this.#bodies.get(args.input);
        if (body !== undefined && "request" in args) setBody(args.request, body);
        return next(args);
      },
      { step: "build", priority: "high", name: "putRecordsBody" },
    );
  }

  /** Sends `body`, a buffer of this request alone; the answers, by position. */
  async send(body: Buffer, signal: AbortSignal): Promise<PutRecordsResultEntry[]> {
    const input = { StreamName: this.#stream, Records: [] };
    this.#bodies.set(input, body);
    this.#handler.signals.set(body, signal);
    const { Records } = await this.#client.send(new PutRecordsCommand(input));
    return Records ?? [];
  }

  close(): void {
    this.#client.destroy();
  }
}

function setBody(request: unknown, body: Buffer): void {
  if (isObject(request) && "body" in request) request.body = body;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
