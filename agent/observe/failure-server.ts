/** Serves the failure page. A port that can't be had is tried again each time `listen` is called. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { hostname } from "node:os";
import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import { respond } from "./respond.ts";
import type { Route } from "./routes.ts";

export interface FailureServerOptions {
  routes: ReadonlyMap<string, Route>;
  log: Logger;
}

interface Address {
  host: string;
  port: number;
}

const MAX_CONNECTIONS = 16;
const REQUEST_TIMEOUT_MS = 10_000;

export class FailureServer {
  readonly #options: FailureServerOptions;
  #server: Server | undefined;
  #at: Address | undefined;

  constructor(options: FailureServerOptions) {
    this.#options = options;
  }

  /** The port it listens on; undefined where it doesn't. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === "object" && address !== null ? address.port : undefined;
  }

  /** Listens at `address` from now on, and nowhere else. Never rejects: why it can't is in the log. */
  async listen(address: Address): Promise<void> {
    const { host, port } = address;
    if (this.#server !== undefined && this.#at?.host === host && this.#at.port === port) return;
    await this.stop();
    const server = this.#create(host);
    try {
      server.listen(port, host);
      await once(server, "listening");
      // From now on an error concerns one connection that could not be taken.
      server.on("error", (error) =>
        this.#options.log.warn({ reason: messageOf(error) }, "the failure page could not take a connection"),
      );
      this.#server = server;
    } catch (error) {
      if (this.#at?.host !== host || this.#at.port !== port)
        this.#options.log.warn({ reason: messageOf(error) }, "the failure page can't be shown");
    }
    this.#at = address;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }

  #create(host: string): Server {
    const { routes, log } = this.#options;
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
    server.maxConnections = MAX_CONNECTIONS;
    const hosts = { names: [hostname(), host] };
    server.on("request", (request, response) => void respond(request, response, { routes, hosts, log }));
    return server;
  }
}
