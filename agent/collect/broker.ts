/**
 * The embedded broker: sensors connect to the agent itself.
 *
 *   sockets ──▶ Connection (framing guard, publishes) ──▶ intake
 *                   └──▶ aedes (sessions, subscriptions, wills)
 *
 * Readings are not retained and reach subscribers at QoS 0, after they are on disk, as long as the subscribers keep up:
 * a subscriber looks on, it must not slow the intake. Sessions are always clean: what a client could leave behind would
 * be memory that others control.
 */

import type { Server, Socket } from "node:net";
import { Aedes } from "aedes";
import type { Logger } from "pino";
import { Fault } from "../errors.ts";
import type { BrokerSettings } from "./broker-settings.ts";
import { Connection } from "./connection.ts";
import type { CloseReason, ConnectionHost } from "./connection-host.ts";
import type { Collector, CollectorStats, Intake } from "./intake.ts";
import { createListener, isLoopback, listen } from "./listener.ts";
import { UNREAD_TIMEOUT_MS } from "./patience.ts";
import { PublishReader } from "./publish-packet.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { loadUsers, type Users } from "./users.ts";

/** Connections that have not sent a CONNECT: the oldest goes when one more comes. */
export const MAX_PENDING_CONNECTIONS = 128;
const SWEEP_MS = 1000;

export interface BrokerDeps {
  intake: Intake;
  log: Logger;
  /** Monotonic, ms. */
  now(): number;
}

export class EmbeddedBroker implements Collector, ConnectionHost {
  readonly intake: Intake;
  readonly publishes = new PublishReader();
  readonly maxPacketBytes: number;
  readonly #settings: BrokerSettings;
  readonly #deps: BrokerDeps;
  readonly #connections = new Set<Connection>();
  /** Those whose client was let in. */
  readonly #admitted = new Set<Connection>();
  readonly #closed = new Map<string, number>();
  #users: Users | undefined;
  #server: Server | undefined;
  #sessions: Sessions | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #port = 0;

  constructor(settings: BrokerSettings, deps: BrokerDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.intake = deps.intake;
    this.maxPacketBytes = settings.maxPacketBytes;
  }

  /** Listens; throws a Fault when the address can't be had or would be open to strangers. */
  async start(): Promise<void> {
    const { host, port, usersFile, tls } = this.#settings;
    if (!isLoopback(host) && usersFile === undefined && tls?.requireClientCertificate !== true) {
      throw new Fault(
        "mqtt.exposed",
        `mqtt.listen is ${host}, which others can reach, but no credentials are configured`,
        {
          hint: "set mqtt.users_file, or mqtt.tls with require_client_certificate, or listen on 127.0.0.1",
          exitCode: 78,
        },
      );
    }
    this.#users = usersFile === undefined ? undefined : loadUsers(usersFile);
    this.#server = createListener(this.#settings, {
      connected: (socket) => this.#connected(socket),
      refused: (reason) => this.#count(reason),
    });
    this.#sessions = await createSessions({
      aedes: await Aedes.createBroker({ ...SESSION_LIMITS, connectTimeout: 0x7fffffff }),
      users: this.#users,
      intake: this.intake,
      log: this.#deps.log,
      mayPublish: (connection, topic) => this.mayPublish(connection, topic),
      admit: (connection, replaced) => this.#admit(connection, replaced),
    });
    try {
      this.#port = await listen(this.#server, host, port);
    } catch (error) {
      await this.#sessions.close();
      throw error;
    }
    this.#server.on("error", (error) =>
      this.#deps.log.warn({ err: error }, "the MQTT listener reported an error"),
    );
    this.#sweep = setInterval(() => this.#checkTimes(), SWEEP_MS).unref();
  }

  async stop(deadlineMs: number): Promise<void> {
    clearInterval(this.#sweep);
    this.#server?.close();
    const drained = Promise.all([...this.#connections].map((connection) => connection.drain()));
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())]);
    await this.#sessions?.close();
    for (const connection of this.#connections) connection.destroy();
  }

  stats(): CollectorStats {
    return {
      mode: "listen",
      url: this.url,
      ready: this.#server?.listening ?? false,
      connections: this.#connections.size,
      closedConnections: Object.fromEntries(this.#closed),
    };
  }

  /** With the port really listened on. */
  get url(): string {
    const { host, tls } = this.#settings;
    return `${tls === undefined ? "mqtt" : "mqtts"}://${host.includes(":") ? `[${host}]` : host}:${this.#port}`;
  }

  now(): number {
    return this.#deps.now();
  }

  mayPublish(connection: Connection, topic: string): boolean {
    if (this.#users === undefined) return true;
    if (connection.user === undefined) return false;
    return this.#users.mayPublish(connection.user, topic);
  }

  forwards(): boolean {
    return this.#sessions?.watched ?? false;
  }

  forward(topic: string, payload: Buffer): void {
    this.#sessions?.forward(topic, payload);
  }

  closing(connection: Connection, reason: CloseReason): void {
    this.#count(reason);
    const { remoteAddress, remotePort } = connection.socket;
    this.#deps.log.debug(
      { reason, peer: `${remoteAddress}:${remotePort}`, user: connection.user },
      "connection closed",
    );
  }

  #count(reason: CloseReason): void {
    this.#closed.set(reason, (this.#closed.get(reason) ?? 0) + 1);
  }

  #connected(socket: Socket): void {
    const connection = new Connection(socket, this);
    this.#connections.add(connection);
    connection.once("close", () => {
      this.#connections.delete(connection);
      this.#admitted.delete(connection);
    });
    connection.on("error", () => {});
    this.#makeRoomForStrangers();
    if (!connection.destroyed) this.#sessions?.handle(connection);
  }

  #makeRoomForStrangers(): void {
    if (this.#connections.size - this.#admitted.size > MAX_PENDING_CONNECTIONS)
      this.#oldestStranger()?.closeFor("too_many_connections");
  }

  #oldestStranger(): Connection | undefined {
    for (const connection of this.#connections) if (!this.#admitted.has(connection)) return connection;
    return undefined;
  }

  /** A full house lets in only who takes the place of an earlier connection of its own. */
  #admit(connection: Connection, replaced: Connection | undefined): boolean {
    const leaving = replaced !== undefined && this.#admitted.has(replaced) ? 1 : 0;
    if (this.#admitted.size - leaving >= this.#settings.maxConnections) return false;
    this.#admitted.add(connection);
    return true;
  }

  #checkTimes(): void {
    const nowMs = this.#deps.now();
    for (const connection of this.#connections) connection.checkTimes(nowMs, this.#settings);
  }
}

const SESSION_LIMITS = {
  /** Messages in delivery to subscribers at once. */
  concurrency: 100,
  /** Behind our own time for clients that do not read, which says why, ms. */
  drainTimeout: 2 * UNREAD_TIMEOUT_MS,
  /** Our own; QoS 2 keeps no state in aedes. */
  maxInflightInbound: 1,
  queueLimit: 16,
};
