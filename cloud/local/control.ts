/** The local cloud's own endpoint: what it has, and "bring everything into the table now". */

import http from "node:http";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import { answerJson, endServer, listenOnLoopback } from "./http.ts";

/** What can be asked, such as `GET /_local/status`, and who answers. */
export type Questions = Readonly<Record<string, () => unknown>>;

export class Control {
  readonly #questions: Questions;
  readonly #log: Logger;
  readonly #server: http.Server;

  constructor(questions: Questions, log: Logger) {
    this.#questions = questions;
    this.#log = log;
    this.#server = http.createServer((request, response) => void this.#serve(request, response));
  }

  /** Listens on loopback; the port, which the system chooses for 0. */
  start(port: number): Promise<number> {
    return listenOnLoopback(this.#server, port, "the control endpoint");
  }

  stop(): Promise<void> {
    return endServer(this.#server);
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const asked = `${request.method} ${request.url?.split("?")[0]}`;
    request.resume();
    const ask = this.#questions[asked];
    if (ask === undefined) {
      const there = Object.keys(this.#questions).join(" and ");
      return answerJson(response, 404, { error: `${asked} is not here; there are ${there}` });
    }
    try {
      answerJson(response, 200, await ask());
    } catch (error) {
      this.#log.error({ problem: messageOf(error), asked }, "a request to the local cloud failed");
      answerJson(response, 500, { error: messageOf(error) });
    }
  }
}
