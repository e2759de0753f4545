/**
 * What is left to aedes: CONNECT and its answer, subscriptions, the will of a client that vanishes. A client comes in by
 * these steps, each of which may turn it away:
 *
 *   CONNECT ─▶ greet (client id) ─▶ identify (certificate, password) ─▶ judge its will ─▶ seat ─▶ CONNACK
 */

import type { EventEmitter } from "node:events";
import { Aedes, type Client, type ConnectPacket, type PublishPacket, type Subscription } from "aedes";
import type { Logger } from "pino";
import type { CloseReason } from "./closing.ts";
import { IDENTIFIER_REJECTED, NOT_AUTHORIZED, refusal, SERVER_UNAVAILABLE } from "./connack.ts";
import { Connection } from "./connection.ts";
import { Forwards } from "./forwards.ts";
import type { Intake } from "./intake.ts";
import type { Logins } from "./logins.ts";
import { keepsNothing, reachesNobody } from "./nothing-kept.ts";
import { forbiddenTopic } from "./publish-packet.ts";
import { maySubscribe, type Users } from "./users.ts";
import type { Watchers } from "./watchers.ts";

export const MAX_FILTER_LENGTH = 1024;
export const MAX_CLIENT_ID_LENGTH = 256;
/** MQTT 3.1, section 3.1. */
const MAX_CLIENT_ID_LENGTH_OF_3_1 = 23;

const UNFIT = /[\p{Cc}\p{Cs}\ufffd]/u;
interface NameAndPassword {
  name: string | undefined;
  password: Uint8Array | undefined;
}

interface Refused {
  /** Of the CONNACK. */
  code: number;
  reason: CloseReason;
}

const REFUSED_LOGIN: Refused = { code: NOT_AUTHORIZED, reason: "refused_login" };
const BAD_WILL: Refused = { code: NOT_AUTHORIZED, reason: "bad_will" };
const ID_TAKEN: Refused = { code: IDENTIFIER_REJECTED, reason: "client_id_taken" };
const HOUSE_FULL: Refused = { code: SERVER_UNAVAILABLE, reason: "too_many_connections" };
const TURNED_AWAY = new Error("turned away");
const NOT_FOR_AEDES = new Error("its will is dealt with");

export interface SessionDeps {
  /** Undefined where anybody may come in. */
  users: Users | undefined;
  logins: Logins | undefined;
  watchers: Watchers;
  intake: Intake;
  log: Logger;
  /** Takes the connection for a client's, in the place of the one it replaces; false where the house is full. */
  admit(connection: Connection, replaced: Connection | undefined): boolean;
}

export class Sessions {
  readonly #deps: SessionDeps;
  readonly #aedes: Aedes;
  /** Whose a client id is. */
  readonly #owners = new Map<string, Connection>();
  /** Clients greeted: aedes knows each by its number, for in its own takeover a newcomer that dies stays registered for ever. */
  #greeted = 0;
  #closing = false;

  static async create(deps: SessionDeps): Promise<Sessions> {
    const sessions = new Sessions(deps, new Aedes(AEDES_OPTIONS));
    await sessions.#aedes.listen();
    return sessions;
  }

  private constructor(deps: SessionDeps, aedes: Aedes) {
    this.#deps = deps;
    this.#aedes = aedes;
    aedes.preConnect = (client, packet, done) => this.#greet(connectionOf(client), packet, done);
    aedes.authenticate = (client, name, password, done) => {
      const connection = connectionOf(client);
      this.#comeIn(connection, { name, password })
        .then((isIn) => (isIn ? done(null, true) : undefined))
        .catch((error: unknown) => this.#failed(connection, error));
    };
    aedes.authorizePublish = (client, packet, done) => this.#vanished(client, packet, done);
    aedes.authorizeSubscribe = (client, subscription, done) =>
      done(null, this.#grant(connectionOf(client), subscription));
    aedes.on("clientReady", (client) => connectionOf(client).accepted());
    aedes.on("unsubscribe", (filters, client) => {
      for (const filter of filters) deps.watchers.remove(connectionOf(client), filter);
    });
    aedes.on("clientError", (client, error) => this.#broken(client, error));
    aedes.on("connectionError", (client, error) => this.#broken(client, error));
    // Nothing of a client's comes here; but an error without a listener would end the process.
    const events: EventEmitter = aedes;
    events.on("error", (error) => deps.log.warn({ err: error }, "the session layer reported an error"));
  }

  handle(connection: Connection): void {
    this.#aedes.handle(connection);
  }

  /** From now on no wills: the clients have not vanished, we have. */
  close(): Promise<void> {
    this.#closing = true;
    return new Promise((resolve) => this.#aedes.close(resolve));
  }

  #greet(
    connection: Connection,
    packet: ConnectPacket,
    done: (error: Error | null, success: boolean) => void,
  ): void {
    if (this.#turnedAwayAtSight(connection, packet)) {
      done(TURNED_AWAY, false);
      return;
    }
    // The connection keeps the time itself, because publishes never reach aedes.
    connection.patience.keepaliveMs = (packet.keepalive ?? 0) * 1000;
    packet.keepalive = 0;
    packet.clean = true;
    connection.willTopic = packet.will?.topic;
    connection.clientId = packet.clientId;
    packet.clientId = `${++this.#greeted}`;
    done(null, true);
  }

  #turnedAwayAtSight(connection: Connection, packet: ConnectPacket): boolean {
    const { protocolVersion, clientId = "", clean } = packet;
    const longest = protocolVersion === 3 ? MAX_CLIENT_ID_LENGTH_OF_3_1 : MAX_CLIENT_ID_LENGTH;
    const fits = clientId.length <= longest && !UNFIT.test(clientId);
    if (fits && (clientId !== "" || clean !== false)) return false;
    connection.turnAway(refusal(IDENTIFIER_REJECTED), "bad_client_id");
    return true;
  }

  /** Resolves with false if the client was turned away or is gone: aedes takes no further notice of it then. */
  async #comeIn(connection: Connection, login: NameAndPassword): Promise<boolean> {
    const known = await this.#identify(connection, login);
    if (connection.destroyed) return false;
    const refused = known ? this.#refused(connection) : REFUSED_LOGIN;
    if (refused === undefined) return true;
    connection.turnAway(refusal(refused.code), refused.reason);
    return false;
  }

  /** By certificate, by password, or, where no users are configured, as anybody. */
  async #identify(connection: Connection, login: NameAndPassword): Promise<boolean> {
    const { users, logins } = this.#deps;
    if (users === undefined || logins === undefined) return true;
    const { certificate, address } = connection;
    const certified = certificate === undefined ? undefined : users.get(certificate);
    connection.user = certified ?? (await logins.check({ ...login, address, connection }));
    return connection.user !== undefined;
  }

  /**
   * What speaks against a client that is known. If nothing does it has its seat, and the client's earlier connection is
   * closed [MQTT-3.1.4-2].
   */
  #refused(connection: Connection): Refused | undefined {
    const { clientId, willTopic } = connection;
    if (willTopic !== undefined && !isFitWill(willTopic, connection)) return BAD_WILL;
    const owner = this.#owners.get(clientId);
    if (owner !== undefined && owner.user !== connection.user) return ID_TAKEN;
    if (!this.#deps.admit(connection, owner)) return HOUSE_FULL;
    owner?.destroy();
    // Without an id it is nobody's successor.
    if (clientId === "") return undefined;
    this.#owners.set(clientId, connection);
    connection.once("close", () => {
      if (this.#owners.get(clientId) === connection) this.#owners.delete(clientId);
    });
    return undefined;
  }

  /** Gives null for what is answered with the failure code 0x80 [MQTT-3.9.3-1]. */
  #grant(connection: Connection, subscription: Subscription): Subscription | null {
    const { topic: filter } = subscription;
    const reason = this.#whyNotShown(connection, filter);
    if (reason === undefined) return subscription;
    const { address: peer, user } = connection;
    this.#deps.log.debug({ peer, user: user?.name, filter, reason }, "subscription refused");
    return null;
  }

  #whyNotShown(connection: Connection, filter: string): string | undefined {
    const { users, watchers } = this.#deps;
    const { user } = connection;
    if (filter.length > MAX_FILTER_LENGTH) return "too long";
    if (users !== undefined && (user === undefined || !maySubscribe(user, filter))) return "not allowed";
    if (connection.destroyed) return "closed";
    return watchers.add(connection, filter) ? undefined : "too many";
  }

  /** Stores the will of a client that is gone without a goodbye, and shows it to those who look on. */
  #vanished(client: Client | null, will: PublishPacket, done: (error: Error) => void): void {
    const connection = client === null ? undefined : connectionOf(client);
    const { topic } = will;
    const isVoid = this.#closing || connection?.saidGoodbye !== false || !isFitWill(topic, connection);
    if (isVoid) {
      done(NOT_FOR_AEDES);
      return;
    }
    const forwards = new Forwards(this.#deps.watchers);
    const payload = Buffer.from(will.payload);
    forwards.take(topic, payload);
    const understood = this.#deps.intake.accept(topic, payload, false, (error) => {
      forwards.settle(!error);
      done(NOT_FOR_AEDES);
    });
    if (!understood) forwards.forget();
  }

  /** aedes found a packet it can't take, or the socket failed; the connection knows which of them came first. */
  #broken(client: Client, error: Error): void {
    const connection = connectionOf(client);
    if (error !== TURNED_AWAY)
      this.#deps.log.debug({ client: connection.clientId, reason: error.message }, "client error");
    connection.closeFor("malformed");
  }

  #failed(connection: Connection, error: unknown): void {
    this.#deps.log.warn({ err: error, peer: connection.address }, "letting a client in failed");
    connection.closeFor("internal");
  }
}

function isFitWill(topic: string, connection: Connection): boolean {
  return forbiddenTopic(topic) === undefined && connection.mayPublish(topic);
}

function connectionOf(client: Client): Connection {
  const { conn } = client;
  if (!(conn instanceof Connection)) throw new TypeError("a client that did not come through the guard");
  return conn;
}

const NEVER_MS = 0x7fffffff;

const AEDES_OPTIONS = {
  persistence: keepsNothing,
  mq: reachesNobody,
  /** The times are the connection's: it says why, and counts it. */
  connectTimeout: NEVER_MS,
  drainTimeout: 0,
  queueLimit: 16,
};
