/**
 * The status page, its API, the probes and the metrics, over HTTP. It only looks: nothing that happens here may hold up
 * the collecting. A port that is taken is told once and tried again until it is free.
 */

import { createServer, type Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { hostname } from "node:os";
import type { Logger } from "pino";
import { codeOf, Fault } from "../errors.ts";
import { HISTORY_EVERY_MS, History } from "./history.ts";
import { LIVE_EVERY_MS, type LiveSampler } from "./live.ts";
import type { Metrics } from "./metrics.ts";
import { loadAssets, type PageAssets } from "./page/assets.ts";
import { countersOf, PAGE_RATE_WINDOW_MS } from "./page/counters.ts";
import { RateWindow } from "./rates.ts";
import { respond } from "./respond.ts";
import { routesOf } from "./routes.ts";
import type { Snapshot } from "./snapshot.ts";

export interface StatusServerOptions {
  /** Port 0 takes any free one. */
  listen: { host: string; port: number };
  /** All there is to show, taken at the moment of the call. Called a few times a second at most. */
  snapshot: () => Snapshot;
  live: Pick<LiveSampler, "sample" | "view">;
  log: Logger;
  /** Names besides the machine's own under which browsers may come. */
  hostNames?: readonly string[];
  /** Until a port that could not be had is tried again, ms. Default 5 s. */
  retryMs?: number;
  /** Between two samples of the charts, ms. Default 5 s. */
  sampleMs?: number;
  /** Default: as built. */
  assets?: PageAssets;
}

export interface StatusServer {
  /** Resolves once the first attempt to listen has an outcome; never rejects. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Where it listens, or undefined while it doesn't. */
  url(): string | undefined;
}

const MAX_CONNECTIONS = 64;
const RETRY_MS = 5000;
/** What a slow client may take for its request. */
const REQUEST_TIMEOUT_MS = 10_000;
/** What a slow client may take for the last answer. */
const STOP_TIMEOUT_MS = 1000;

export function createStatusServer(options: StatusServerOptions): StatusServer {
  return new HttpStatusServer(options);
}

class HttpStatusServer implements StatusServer {
  readonly #options: StatusServerOptions;
  readonly #server: Server;
  readonly #history = new History();
  readonly #rates = new RateWindow(PAGE_RATE_WINDOW_MS);
  #metrics: Promise<Metrics> | undefined;
  #sampling: NodeJS.Timeout | undefined;
  #watching: NodeJS.Timeout | undefined;
  #retrying: NodeJS.Timeout | undefined;
  #complained = false;
  #stopped = false;

  constructor(options: StatusServerOptions) {
    this.#options = options;
    const routes = routesOf({
      snapshot: () => this.#look(),
      metrics: () => this.#loadMetrics(),
      live: () => options.live.view(),
      history: this.#history,
      rates: this.#rates,
      assets: options.assets ?? loadAssets(),
    });
    const hosts = { names: [hostname(), options.listen.host, ...(options.hostNames ?? [])] };
    this.#server = createServer({
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("request", (request, response) => {
      void respond(request, response, { routes, hosts, log: options.log });
    });
  }

  start(): Promise<void> {
    this.#sample();
    this.#sampling = setInterval(() => this.#sample(), this.#options.sampleMs ?? HISTORY_EVERY_MS).unref();
    this.#watching = setInterval(() => this.#options.live.sample(), LIVE_EVERY_MS).unref();
    return this.#listen();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sampling);
    clearInterval(this.#watching);
    clearTimeout(this.#retrying);
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const impatience = setTimeout(() => this.#server.closeAllConnections(), STOP_TIMEOUT_MS);
    await closed;
    clearTimeout(impatience);
  }

  url(): string | undefined {
    const address = this.#server.address();
    if (address === null || typeof address === "string") return undefined;
    return urlOf(address);
  }

  #look(): Snapshot {
    const snapshot = this.#options.snapshot();
    this.#rates.push(snapshot.nowMs, countersOf(snapshot));
    return snapshot;
  }

  #loadMetrics(): Promise<Metrics> {
    this.#metrics ??= import("./metrics.ts").then(({ createMetrics }) => createMetrics());
    return this.#metrics;
  }

  #sample(): void {
    try {
      this.#history.add(this.#look());
    } catch (error) {
      this.#options.log.warn({ err: error }, "the status could not be sampled");
    }
  }

  #listen(): Promise<void> {
    const { listen, log } = this.#options;
    return new Promise((resolve) => {
      const failed = (error: Error) => {
        this.#server.off("listening", listening);
        this.#retryAfter(error);
        resolve();
      };
      const listening = () => {
        this.#server.off("error", failed);
        // From now on an error concerns one connection that could not be taken.
        this.#server.on("error", (error) =>
          log.warn({ err: error }, "the status server could not take a connection"),
        );
        if (this.#complained) log.info({ url: this.url() }, "the status page is up now");
        resolve();
      };
      this.#server.once("error", failed).once("listening", listening);
      this.#server.listen(listen.port, listen.host);
    });
  }

  #retryAfter(error: Error): void {
    if (this.#stopped) return;
    if (!this.#complained)
      this.#options.log.error({ err: listenFault(error, this.#options.listen) }, "no status page");
    this.#complained = true;
    this.#retrying = setTimeout(() => void this.#listen(), this.#options.retryMs ?? RETRY_MS);
  }
}

/** Why the page can't be shown, and what to do. */
function listenFault(error: Error, { host, port }: StatusServerOptions["listen"]): Fault {
  const where = `${host}:${port}`;
  const details = { retry: true, cause: error };
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return new Fault("status.port_taken", `another program has the port of the status page, ${where}`, {
        ...details,
        hint: `Find it with "ss -ltnp 'sport = :${port}'", or set another port in status.listen. Collecting needs no page.`,
      });
    case "EACCES":
      return new Fault("status.not_allowed", `the agent's user may not listen on ${where}`, {
        ...details,
        hint: "Ports below 1024 are for root; set another one in status.listen. Collecting needs no page.",
      });
    default:
      return new Fault("status.cannot_listen", `the status page can't listen on ${where}: ${error.message}`, {
        ...details,
        hint: "Is the address one of this machine's? See status.listen. Collecting needs no page.",
      });
  }
}

function urlOf({ address, port }: AddressInfo): string {
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
