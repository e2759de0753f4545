/**
 * Stands between the agent and Kinesis and spoils what passes through: single records fail, requests are throttled, answers
 * get lost on the way back, and now and then nobody is there. What is let through is Kinesis' own doing.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { Random } from "../../../simulators/random.ts";

export interface Faults {
  /** Share of the records that fail, of the requests that are throttled, and of the answers that are lost. */
  records: number;
  throttled: number;
  lost: number;
}

const KINESIS_JSON = "application/x-amz-json-1.1";
const THROTTLED = "ProvisionedThroughputExceededException";
const Asked = z.looseObject({ Records: z.array(z.unknown()) });
const Answered = z.object({ Records: z.array(z.looseObject({ ErrorCode: z.string().nullish() })) });

export class Injector {
  readonly count = { requests: 0, records: 0, failedRecords: 0, throttled: 0, lost: 0, outages: 0 };
  readonly #upstream: string;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #port = 0;

  /** `upstream`: URL of Kinesis. */
  constructor(upstream: string, faults: Faults, random: Random) {
    this.#upstream = upstream;
    this.#faults = faults;
    this.#random = random;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Until the next `start` nobody is there. */
  async stop(): Promise<void> {
    this.count.outages++;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on("error", () => {});
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
      const { status, body } = await this.#answer(request, Buffer.concat(chunks));
      if (this.#random.chance(this.#faults.lost)) {
        this.count.lost++;
        request.socket.destroy();
      } else response.writeHead(status, { "content-type": KINESIS_JSON }).end(body);
    } catch {
      request.socket.destroy();
    }
  }

  async #answer(request: IncomingMessage, body: Buffer): Promise<{ status: number; body: string }> {
    this.count.requests++;
    if (this.#random.chance(this.#faults.throttled)) {
      this.count.throttled++;
      return { status: 400, body: JSON.stringify({ __type: THROTTLED, message: "as told" }) };
    }
    const asked = Asked.parse(JSON.parse(body.toString()));
    const fails = asked.Records.map(() => this.#random.chance(this.#faults.records));
    const kept = asked.Records.filter((_, index) => !fails[index]);
    this.count.records += asked.Records.length;
    this.count.failedRecords += asked.Records.length - kept.length;
    const failed = {
      ErrorCode: this.#random.chance(0.5) ? THROTTLED : "InternalFailure",
      ErrorMessage: "as told",
    };
    let answers: Iterator<unknown> = [][Symbol.iterator]();
    if (kept.length > 0) {
      const headers = {
        "content-type": KINESIS_JSON,
        "x-amz-target": String(request.headers["x-amz-target"]),
      };
      const passed = {
        ...headers,
        authorization: String(request.headers.authorization),
        "x-amz-date": String(request.headers["x-amz-date"]),
      };
      const answer = await fetch(this.#upstream, {
        method: "POST",
        headers: passed,
        body: JSON.stringify({ ...asked, Records: kept }),
      });
      const text = await answer.text();
      if (!answer.ok) return { status: answer.status, body: text };
      answers = Answered.parse(JSON.parse(text)).Records[Symbol.iterator]();
    }
    const Records = fails.map((fail) => (fail ? failed : answers.next().value));
    const FailedRecordCount = Records.filter(
      (record) => z.object({ ErrorCode: z.string() }).safeParse(record).success,
    ).length;
    return { status: 200, body: JSON.stringify({ FailedRecordCount, Records }) };
  }
}
