/**
 * A Kinesis endpoint on loopback that keeps the service's limits, records what it accepted, and fails on demand.
 * It speaks what the agent asks: PutRecords and DescribeStreamSummary, JSON over HTTP/1.1.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { gunzipSync } from "node:zlib";
import { z } from "zod";

const MAX_RECORDS = 500;
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_RECORD_BYTES = 1024 * 1024;
/** A PUT payload unit, as provisioned streams are billed, bytes. */
const PUT_UNIT_BYTES = 25 * 1024;

/** What happens to one PutRecords request. */
export type StubFault =
  /** The request as a whole is throttled. */
  | { kind: "throttle" }
  /** The records at the positions for which `fails` is true are not stored. */
  | {
      kind: "partial";
      fails: (index: number, record: { key: string; data: Buffer }) => boolean;
      code?: string;
    }
  /** Answered with this exception and nothing stored. */
  | { kind: "exception"; status: number; type: string; message?: string; headers?: Record<string, string> }
  /** Stored, but the connection is cut before the answer. */
  | { kind: "lost_reply" }
  /** Not stored, connection cut. */
  | { kind: "cut" }
  /** Stored, but the answer has to wait for `until`. */
  | { kind: "slow"; until: Promise<void> }
  /** Never answered; with `headers` the answer begins and then stops. Nothing stored. */
  | { kind: "hang"; headers?: boolean }
  /** Something that is not an answer. Nothing stored. */
  | { kind: "garbage"; body: string };

export interface StubRequest {
  /** 0, 1, 2, … */
  index: number;
  records: number;
  bytes: number;
}

export interface StubOptions {
  stream?: string;
  status?: string;
  /** The fate of a request; undefined: all is stored. */
  fault?: (request: StubRequest) => StubFault | undefined;
  /** Keep every accepted line. Default true; counts are kept always. */
  keep?: boolean;
  /** Told of every record's lines that are stored. */
  stored?: (lines: string) => void;
  /** PEM; speaks HTTPS with it. */
  tls?: { cert: Buffer; key: Buffer };
}

export interface StubRecord {
  key: string;
  data: Buffer;
  /** The lines inside, each with its newline, without the gateway's state. */
  lines: string[];
}

export class KinesisStub {
  readonly #options: StubOptions;
  readonly #server: Server;
  #port = 0;
  #requests = 0;
  #waiters: { done: () => boolean; resolve: () => void }[] = [];
  /** Lines of the gateway's own state, stored. */
  readonly states: string[] = [];
  /** Records stored, in order; empty with `keep: false`. */
  readonly records: StubRecord[] = [];
  /** Lines whose acceptance was told in an answer that was written in full. */
  readonly answered = new Set<string>();
  /** Partition keys and bytes of every record that ever came, also of those not stored. */
  readonly seen: { key: string; data: string; request: number }[] = [];
  readonly counts = {
    requests: 0,
    records: 0,
    readings: 0,
    bytes: 0,
    putUnits: 0,
    refused: 0,
    refusedRecords: 0,
  };
  fault: StubOptions["fault"];

  constructor(options: StubOptions = {}) {
    this.#options = options;
    this.fault = options.fault;
    const receive = (request: IncomingMessage, response: ServerResponse) => this.#receive(request, response);
    this.#server =
      options.tls === undefined ? createServer(receive) : createHttpsServer(options.tls, receive);
    this.#server.keepAliveTimeout = 60_000;
  }

  get endpoint(): string {
    return this.#options.tls === undefined
      ? `http://127.0.0.1:${this.#port}`
      : `https://localhost:${this.#port}`;
  }

  /** Every line stored, as often as it was stored. */
  get lines(): string[] {
    return this.records.flatMap(({ lines }) => lines);
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "127.0.0.1", resolve);
    });
    const address = this.#server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
  }

  /** Closes the port and cuts every connection; `start` opens the same port again. */
  async outage(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Resolves once `done` holds, looked at after each request. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ done, resolve }));
  }

  #tell(): void {
    this.#waiters = this.#waiters.filter(({ done, resolve }) => {
      if (!done()) return true;
      resolve();
      return false;
    });
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("error", () => {});
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const operation = String(request.headers["x-amz-target"]).split(".")[1];
      if (operation === "PutRecords")
        this.#putRecords(Buffer.concat(chunks).toString("latin1"), request, response);
      else if (operation === "DescribeStreamSummary") this.#describe(response);
      else this.#refuse(response, 400, "UnknownOperationException");
      this.#tell();
    });
  }

  #describe(response: ServerResponse): void {
    const fault = this.fault?.({ index: this.#requests++, records: 0, bytes: 0 });
    if (fault?.kind === "exception") {
      this.#refuse(response, fault.status, fault.type, fault.message, fault.headers);
      return;
    }
    if (fault?.kind === "hang") return;
    const { stream = "windfarm-readings", status = "ACTIVE" } = this.#options;
    answer(response, 200, {
      StreamDescriptionSummary: {
        StreamName: stream,
        StreamStatus: status,
        OpenShardCount: 2,
        StreamARN: "arn",
      },
    });
  }

  #putRecords(text: string, request: IncomingMessage, response: ServerResponse): void {
    const asked = PutRecords.parse(JSON.parse(text));
    const index = this.#requests++;
    const { stream = "windfarm-readings" } = this.#options;
    if (asked.StreamName !== stream) {
      this.#refuse(response, 400, "ResourceNotFoundException");
      return;
    }
    const records = asked.Records.map(({ Data, PartitionKey }) => ({
      key: PartitionKey,
      data: Buffer.from(Data, "base64"),
    }));
    const bytes = records.reduce((sum, { key, data }) => sum + key.length + data.length, 0);
    const tooLarge = records.some(({ key, data }) => data.length + key.length > MAX_RECORD_BYTES);
    if (records.length === 0 || records.length > MAX_RECORDS || bytes > MAX_REQUEST_BYTES || tooLarge) {
      this.#refuse(response, 400, "ValidationException", "a limit of PutRecords is exceeded");
      return;
    }
    this.counts.requests++;
    if (this.#options.keep !== false) {
      for (const { key, data } of records)
        this.seen.push({ key, data: data.toString("base64"), request: index });
    }
    const fault = this.fault?.({ index, records: records.length, bytes });
    this.#answer(fault, records, request, response);
  }

  #answer(
    fault: StubFault | undefined,
    records: { key: string; data: Buffer }[],
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    if (fault !== undefined && fault.kind !== "slow") this.counts.refused++;
    switch (fault?.kind) {
      case "throttle":
        this.#refuse(response, 400, "ProvisionedThroughputExceededException");
        return;
      case "exception":
        this.#refuse(response, fault.status, fault.type, fault.message, fault.headers);
        return;
      case "cut":
        request.socket.destroy();
        return;
      case "hang":
        if (fault.headers) response.writeHead(200, { "content-length": "1000" }).write("{");
        return;
      case "garbage":
        response.end(fault.body);
        return;
      case "lost_reply":
        for (const record of records) this.#store(record);
        request.socket.destroy();
        return;
      case "slow":
        void fault.until.then(() =>
          this.#finish(
            records,
            records.map(() => this.#accepted()),
            response,
          ),
        );
        return;
      default: {
        const entries = records.map((record, index) =>
          fault?.kind === "partial" && fault.fails(index, record)
            ? { ErrorCode: fault.code ?? "ProvisionedThroughputExceededException", ErrorMessage: "as told" }
            : this.#accepted(),
        );
        this.#finish(records, entries, response);
      }
    }
  }

  #accepted() {
    return {
      SequenceNumber: String(49590338271490256608n + BigInt(this.counts.records)),
      ShardId: "shardId-000000000000",
    };
  }

  #finish(
    records: { key: string; data: Buffer }[],
    entries: ({ SequenceNumber: string } | { ErrorCode: string })[],
    response: ServerResponse,
  ): void {
    this.counts.refusedRecords += entries.filter((entry) => "ErrorCode" in entry).length;
    const stored = records.filter((_, index) => "SequenceNumber" in (entries[index] ?? {}));
    for (const record of stored) {
      for (const line of this.#store(record)) this.answered.add(line);
    }
    answer(response, 200, { FailedRecordCount: records.length - stored.length, Records: entries });
    this.#tell();
  }

  #store(record: { key: string; data: Buffer }): string[] {
    const text = gunzipSync(record.data).toString();
    this.#options.stored?.(text);
    const all = text.split(/(?<=\n)/);
    const lines = all.filter((line) => !line.startsWith('{"kind":'));
    this.states.push(...all.filter((line) => line.startsWith('{"kind":')));
    this.counts.records++;
    this.counts.bytes += record.data.length + record.key.length;
    this.counts.putUnits += Math.ceil((record.data.length + record.key.length) / PUT_UNIT_BYTES);
    this.counts.readings += lines.length;
    if (this.#options.keep === false) return [];
    this.records.push({ ...record, lines });
    return lines;
  }

  #refuse(response: ServerResponse, status: number, type: string, message = type, headers = {}): void {
    answer(response, status, { __type: `com.amazonaws.kinesis#${type}`, message }, headers);
  }
}

export async function startKinesisStub(options: StubOptions = {}): Promise<KinesisStub> {
  const stub = new KinesisStub(options);
  await stub.start();
  return stub;
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1", ...headers });
  response.end(JSON.stringify(body));
}

const PutRecords = z.object({
  StreamName: z.string(),
  Records: z.array(z.object({ Data: z.string(), PartitionKey: z.string().min(1).max(256) })),
});
