/** The local cloud's own endpoint: what it has, and "bring everything into the table now". */

import http from "node:http";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import { listenOnLoopback } from "./front.ts";

export interface Controlled {
  status(): unknown;
  flush(): Promise<unknown>;
}

export class Control {
  readonly #controlled: Controlled;
  readonly #log: Logger;
  readonly #server: http.Server;

  constructor(controlled: Controlled, log: Logger) {
    this.#controlled = controlled;
    this.#log = log;
    this.#server = http.createServer((request, response) => void this.#serve(request, response));
  }

  /** Listens on loopback; the port, which the system chooses for 0. */
  start(port: number): Promise<number> {
    return listenOnLoopback(this.#server, port, "the control endpoint");
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const asked = `${request.method} ${request.url?.split("?")[0]}`;
    request.resume();
    try {
      if (asked === "GET /_local/status") return answer(response, 200, this.#controlled.status());
      if (asked === "POST /_local/flush") return answer(response, 200, await this.#controlled.flush());
      answer(response, 404, {
        error: `${asked} is not here; there are GET /_local/status and POST /_local/flush`,
      });
    } catch (error) {
      this.#log.error({ problem: messageOf(error), asked }, "a request to the local cloud failed");
      answer(response, 500, { error: messageOf(error) });
    }
  }
}

function answer(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
