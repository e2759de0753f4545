/** A real MQTT broker for the simulators' tests: remembers what came, and can be stopped, started and told to wait. */

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";

export interface Received {
  client: string;
  topic: string;
  payload: Buffer;
  qos: number;
}

export class TestBroker {
  readonly received: Received[] = [];
  port = 0;
  /** While false, messages are remembered but not acknowledged. */
  acknowledging = true;
  /** Sockets are cut, without a word, after so many more messages. */
  cutAfter = Number.POSITIVE_INFINITY;
  readonly #users: Readonly<Record<string, string>> | undefined;
  #aedes: Aedes | undefined;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: { check: () => boolean; resolve: () => void }[] = [];

  constructor(users?: Readonly<Record<string, string>>) {
    this.#users = users;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const aedes = await Aedes.createBroker();
    aedes.authenticate = (_client, username, password, done) => {
      done(null, this.#users === undefined || this.#users[username ?? ""] === password?.toString());
    };
    aedes.authorizePublish = (client, packet, done) => {
      const payload = Buffer.from(packet.payload);
      this.received.push({ client: client?.id ?? "", topic: packet.topic, payload, qos: packet.qos });
      this.#look();
      if (--this.cutAfter < 0) this.cut();
      else if (this.acknowledging) done(null);
    };
    this.#aedes = aedes;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      aedes.handle(socket);
    });
    this.#server.listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address !== null && typeof address === "object") this.port = address.port;
  }

  /** Ends every connection, as a crash would. */
  cut(): void {
    this.cutAfter = Number.POSITIVE_INFINITY;
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    const server = this.#server;
    const aedes = this.#aedes;
    if (server !== undefined) await new Promise<void>((closed) => server.close(() => closed()));
    if (aedes !== undefined) await new Promise<void>((closed) => aedes.close(closed));
    this.#server = undefined;
    this.#aedes = undefined;
  }

  /** Resolves when `check` holds; looked at with every message. */
  until(check: () => boolean): Promise<void> {
    if (check()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ check, resolve });
    });
  }

  #look(): void {
    for (const [index, { check, resolve }] of [...this.#waiting.entries()].reverse()) {
      if (!check()) continue;
      this.#waiting.splice(index, 1);
      resolve();
    }
  }
}
