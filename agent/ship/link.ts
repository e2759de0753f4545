/** The sockets to AWS: kept between requests, counted, and led through a proxy where there is one. */

import { once } from "node:events";
import { type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent, type RequestOptions } from "node:https";
import { connect, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { proxyFor, tunnel } from "./proxy.ts";
import type { StreamSettings } from "./settings.ts";

const KEPT = { keepAlive: true, maxSockets: 16 };

type Environment = Readonly<Record<string, string | undefined>>;
type Created = (error: Error | null, stream: Duplex) => void;
type LinkSettings = Pick<StreamSettings, "proxy" | "requestTimeoutMs">;

export class Link {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
  readonly #settings: LinkSettings;
  readonly #env: Environment;
  readonly #open = new Set<Socket>();
  #closedBytes = 0;

  /** `env`: where HTTPS_PROXY and NO_PROXY may be. */
  constructor(settings: LinkSettings, env: Environment) {
    this.#settings = settings;
    this.#env = env;
    this.httpAgent = new PlainAgent(this);
    this.httpsAgent = new SecureAgent(this);
  }

  /** Bytes read and written so far. */
  get bytes(): number {
    let bytes = this.#closedBytes;
    for (const socket of this.#open) bytes += bytesOf(socket);
    return bytes;
  }

  count(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#closedBytes += bytesOf(socket);
    });
  }

  /** A socket on which `host` answers. */
  async connect(host: string, port: number): Promise<Socket> {
    const { proxy, requestTimeoutMs } = this.#settings;
    const through = proxyFor(host, port, proxy, this.#env);
    const socket =
      through === undefined
        ? await direct(host, port, requestTimeoutMs)
        : await tunnel(through, host, port, requestTimeoutMs);
    this.count(socket);
    return socket;
  }

  close(): void {
    this.httpAgent.destroy();
    this.httpsAgent.destroy();
  }
}

class PlainAgent extends HttpAgent {
  readonly #link: Link;

  constructor(link: Link) {
    super(KEPT);
    this.#link = link;
  }

  override createConnection(options: ClientRequestArgs, created?: Created): Duplex | null | undefined {
    const socket = super.createConnection(options, created);
    if (socket instanceof Socket) this.#link.count(socket);
    return socket;
  }
}

class SecureAgent extends HttpsAgent {
  readonly #link: Link;

  constructor(link: Link) {
    super(KEPT);
    this.#link = link;
  }

  override createConnection(options: RequestOptions, created?: Created): undefined {
    const secure = (socket: Socket) => {
      const over: RequestOptions & { socket: Socket } = { ...options, socket };
      return super.createConnection(over) ?? socket;
    };
    this.#link
      .connect(options.host ?? "localhost", Number(options.port ?? 443))
      .then(secure)
      .then(
        (stream) => created?.(null, stream),
        (error: Error) => created?.(error, new Socket()),
      );
  }
}

async function direct(host: string, port: number, timeoutMs: number): Promise<Socket> {
  const socket = connect({ host, port });
  // An error after this moment is told by the TLS socket above it.
  socket.on("error", () => {});
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(timeoutMs) });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function bytesOf({ bytesRead, bytesWritten }: Socket): number {
  return bytesRead + bytesWritten;
}
