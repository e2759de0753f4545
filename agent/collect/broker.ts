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
import type { Logger } from "pino";
import { isLoopback } from "../common/loopback.ts";
import { EXIT, Fault } from "../errors.ts";
import type { BrokerSettings } from "./broker-settings.ts";
import type { CloseReason } from "./closing.ts";
import { Connection } from "./connection.ts";
import type { ConnectionSetup } from "./connection-setup.ts";
import type { Collector, CollectorStats, Intake } from "./intake.ts";
import { certificateName, createListener, listen } from "./listener.ts";
import { Logins } from "./logins.ts";
import { PublishReader } from "./publish-packet.ts";
import { Sessions } from "./sessions.ts";
import { Tally } from "./tally.ts";
import type { Users } from "./users.ts";
import { UsersWatch } from "./users-watch.ts";
import { WaitingRoom } from "./waiting-room.ts";
import { Watchers } from "./watchers.ts";

/** Connections whose client is not let in yet: one more, and one goes. */
export const MAX_PENDING_CONNECTIONS = 128;
/** Addresses whose refused logins are counted apart. */
const MAX_TOLD_ADDRESSES = 16;
const SWEEP_MS = 1000;

export interface BrokerDeps {
  intake: Intake;
  log: Logger;
  /** Monotonic, ms. */
  now(): number;
}

export class EmbeddedBroker implements Collector {
  readonly #settings: BrokerSettings;
  readonly #deps: BrokerDeps;
  readonly #connections = new Set<Connection>();
  /** Those whose client was let in. */
  readonly #admitted = new Set<Connection>();
  readonly #pending = new WaitingRoom<Connection>(MAX_PENDING_CONNECTIONS);
  readonly #watchers = new Watchers();
  readonly #closed = new Tally();
  readonly #refusedLogins = new Tally(MAX_TOLD_ADDRESSES);
  readonly #setup: Omit<ConnectionSetup, "certificate" | "closed">;
  #server: Server | undefined;
  #sessions: Sessions | undefined;
  #usersWatch: UsersWatch | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #port = 0;

  constructor(settings: BrokerSettings, deps: BrokerDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#setup = {
      intake: deps.intake,
      publishes: new PublishReader(),
      maxPacketBytes: settings.maxPacketBytes,
      restricted: settings.usersFile !== undefined,
      watchers: this.#watchers,
      now: deps.now,
    };
  }

  /** Listens; throws a Fault when the address can't be had or would be open to strangers. */
  async start(): Promise<void> {
    const { host, port, usersFile } = this.#settings;
    this.#requireCredentials();
    const watch = usersFile === undefined ? undefined : new UsersWatch(usersFile, this.#deps.log);
    const users = watch?.users;
    const logins = users === undefined ? undefined : new Logins(users);
    this.#server = createListener(this.#settings, {
      connected: (socket) => this.#connected(socket),
      refused: (reason) => this.#closed.add(reason),
    });
    this.#sessions = await Sessions.create({
      users,
      logins,
      watchers: this.#watchers,
      intake: this.#deps.intake,
      log: this.#deps.log,
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
    this.#usersWatch = watch;
    watch?.start(() => {
      logins?.forget();
      this.#closeChanged(watch.users);
    });
  }

  async stop(deadlineMs: number): Promise<void> {
    clearInterval(this.#sweep);
    this.#usersWatch?.stop();
    this.#server?.close();
    const drained = Promise.all([...this.#connections].map((connection) => connection.drain()));
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())]);
    await this.#sessions?.close();
    for (const connection of this.#connections) connection.destroy();
  }

  /** Reads the users file again. */
  reload(): void {
    this.#usersWatch?.reload();
  }

  stats(): CollectorStats {
    return {
      mode: "listen",
      url: this.url,
      ready: this.#server?.listening ?? false,
      connections: this.#connections.size,
      closedConnections: this.#closed.counts(),
      refusedLogins: this.#refusedLogins.counts(),
    };
  }

  /** With the port really listened on. */
  get url(): string {
    const { host, tls } = this.#settings;
    return `${tls === undefined ? "mqtt" : "mqtts"}://${host.includes(":") ? `[${host}]` : host}:${this.#port}`;
  }

  #requireCredentials(): void {
    const { host, usersFile, tls } = this.#settings;
    if (isLoopback(host) || usersFile !== undefined || tls?.requireClientCertificate === true) return;
    throw new Fault(
      "mqtt.exposed",
      `mqtt.listen is ${host}, which others can reach, but no credentials are configured`,
      {
        hint: "set mqtt.users_file, or mqtt.tls with require_client_certificate, or listen on 127.0.0.1",
        exitCode: EXIT.config,
      },
    );
  }

  #connected(socket: Socket): void {
    const connection: Connection = new Connection(socket, {
      ...this.#setup,
      certificate: certificateName(socket),
      closed: (reason) => this.#closing(connection, reason),
    });
    this.#connections.add(connection);
    connection.once("close", () => {
      this.#connections.delete(connection);
      this.#admitted.delete(connection);
      this.#pending.leave(connection.address, connection);
      this.#watchers.leave(connection);
    });
    connection.on("error", () => {});
    this.#pending.enter(connection.address, connection)?.closeFor("too_many_connections");
    if (!connection.destroyed) this.#sessions?.handle(connection);
  }

  /** A full house lets in only who takes the place of an earlier connection of its own. */
  #admit(connection: Connection, replaced: Connection | undefined): boolean {
    const leaving = replaced !== undefined && this.#admitted.has(replaced) ? 1 : 0;
    if (this.#admitted.size - leaving >= this.#settings.maxConnections) return false;
    this.#admitted.add(connection);
    this.#pending.leave(connection.address, connection);
    return true;
  }

  #closing(connection: Connection, reason: CloseReason): void {
    this.#closed.add(reason);
    if (reason === "refused_login") this.#refusedLogins.add(connection.address);
    const { remotePort } = connection.socket;
    this.#deps.log.debug(
      { reason, peer: `${connection.address}:${remotePort}`, user: connection.user?.name },
      "connection closed",
    );
  }

  #closeChanged(users: Users): void {
    for (const connection of this.#admitted) {
      const { user } = connection;
      if (user === undefined || users.get(user.name) === user) continue;
      connection.closeFor("user_changed");
      // Its last will is judged after this, and nobody's rights are left.
      connection.user = undefined;
    }
  }

  #checkTimes(): void {
    const nowMs = this.#deps.now();
    for (const connection of this.#connections) connection.checkTimes(nowMs, this.#settings);
  }
}
