/** What is left to aedes: CONNECT and its checks, subscriptions, wills, $SYS; and readings forwarded to those who look on. */

import type { Aedes, AuthenticateError, Client } from "aedes";
import type { Logger } from "pino";
import { Connection } from "./connection.ts";
import type { CloseReason } from "./connection-host.ts";
import type { Intake } from "./intake.ts";
import { certificateName } from "./listener.ts";
import type { Users } from "./users.ts";

/** Readings on their way to subscribers at once; further ones are not forwarded until these have left. */
export const MAX_FORWARDING = 1000;
/** Subscriptions of one client, and the length of each. */
export const MAX_SUBSCRIPTIONS = 100;
export const MAX_FILTER_LENGTH = 1024;
export const MAX_CLIENT_ID_LENGTH = 256;

// MQTT 3.1.1 section 3.2.2.3
const IDENTIFIER_REJECTED = 2;
const SERVER_UNAVAILABLE = 3;
const NOT_AUTHORIZED = 5;
const UNFIT = /[\p{Cc}\p{Cs}\ufffd]/u;

export interface SessionDeps {
  aedes: Aedes;
  users: Users | undefined;
  intake: Intake;
  log: Logger;
  mayPublish(connection: Connection, topic: string): boolean;
  /** Takes the connection for a client's, in the place of the one it replaces; false where the house is full. */
  admit(connection: Connection, replaced: Connection | undefined): boolean;
}

export interface Sessions {
  /** Somebody subscribes to readings. */
  readonly watched: boolean;
  handle(connection: Connection): void;
  forward(topic: string, payload: Buffer): void;
  close(): Promise<void>;
}

export async function createSessions(deps: SessionDeps): Promise<Sessions> {
  const { aedes } = deps;
  const watchers = new Map<Client, Set<string>>();
  /** Granted, and perhaps not yet in force: many may come in one packet. */
  const granted = new WeakMap<Client, Set<string>>();
  /** Whose a client id is. */
  const owners = new Map<string, Connection>();
  let forwarding = 0;

  aedes.preConnect = (client, packet, callback) => {
    const connection = connectionOf(client);
    const id = packet.clientId ?? "";
    if (id.length > MAX_CLIENT_ID_LENGTH || UNFIT.test(id) || (id === "" && packet.clean === false)) {
      turnAway(connection, IDENTIFIER_REJECTED, "bad_client_id");
      return callback(new Error("identifier rejected"), false);
    }
    // The connection keeps the time itself, because publishes never reach aedes.
    connection.patience.keepaliveMs = (packet.keepalive ?? 0) * 1000;
    packet.keepalive = 0;
    packet.clean = true;
    // Nothing is retained: it would be memory that others control.
    if (packet.will !== undefined) packet.will.retain = false;
    callback(null, true);
  };

  aedes.authenticate = (client, name, password, callback) => {
    const connection = connectionOf(client);
    void recognise(deps.users, connection, name, password).then((known) => {
      if (connection.destroyed) return;
      if (known) return settle();
      deps.log.debug({ user: name }, "a client was refused");
      callback(
        Object.assign(new Error("not authorized"), { returnCode: NOT_AUTHORIZED }) as AuthenticateError,
        false,
      );
    });

    // aedes takes no further notice of a client that is closed before it is answered.
    function settle(): void {
      const owner = owners.get(client.id);
      if (owner !== undefined && owner.user !== connection.user) {
        turnAway(connection, IDENTIFIER_REJECTED, "client_id_taken");
      } else if (deps.admit(connection, owner)) {
        owners.set(client.id, connection);
        connection.once("close", () => {
          if (owners.get(client.id) === connection) owners.delete(client.id);
        });
        callback(null, true);
      } else turnAway(connection, SERVER_UNAVAILABLE, "too_many_connections");
    }
  };

  // Only wills come this way; should anything else ever, it is stored before aedes can acknowledge it.
  aedes.authorizePublish = (client, packet, callback) => {
    if (packet.topic.startsWith("$SYS/")) return callback(new Error("$SYS/ topic is reserved"));
    if (client !== null && connectionOf(client).saidGoodbye) {
      return callback(new Error("the will of a client that has said goodbye is void"));
    }
    if (client !== null && !deps.mayPublish(connectionOf(client), packet.topic)) {
      return callback(new Error("not authorized"));
    }
    deps.intake.accept(packet.topic, Buffer.from(packet.payload), false, callback);
  };

  aedes.authorizeSubscribe = (client, subscription, callback) => {
    const { user } = connectionOf(client);
    const filter = subscription.topic;
    const fits = filter.length <= MAX_FILTER_LENGTH && !UNFIT.test(filter);
    const held = granted.get(client) ?? new Set();
    const room = held.size < MAX_SUBSCRIPTIONS || held.has(filter);
    const allowed = deps.users === undefined || (user !== undefined && deps.users.maySubscribe(user, filter));
    // null is answered with the failure code 0x80 [MQTT-3.9.3-1]; readings are forwarded at QoS 0.
    if (!(fits && room && allowed)) return callback(null, null);
    granted.set(client, held.add(filter));
    callback(null, { ...subscription, qos: 0 });
  };

  aedes.on("clientReady", (client) => connectionOf(client).accepted());
  aedes.on("subscribe", (_subscriptions, client) => {
    const filters = granted.get(client);
    if (filters !== undefined && filters.size > 0 && !client.closed) watchers.set(client, filters);
  });
  aedes.on("unsubscribe", (filters, client) => {
    for (const filter of filters) granted.get(client)?.delete(filter);
    if (watchers.get(client)?.size === 0) watchers.delete(client);
  });
  aedes.on("clientDisconnect", (client) => watchers.delete(client));
  aedes.on("clientError", (client, error) =>
    deps.log.debug({ client: client.id, err: error }, "client error"),
  );
  aedes.on("connectionError", (_client, error) => deps.log.debug({ err: error }, "connection error"));

  return {
    get watched() {
      return watchers.size > 0;
    },
    handle: (connection) => void aedes.handle(connection),
    forward(topic, payload) {
      if (forwarding >= MAX_FORWARDING) return;
      forwarding++;
      aedes.publish(
        { cmd: "publish", topic, payload, qos: 0, retain: false, dup: false },
        () => forwarding--,
      );
    },
    close: () => new Promise((resolve) => aedes.close(() => resolve())),
  };
}

/** Answers the CONNECT with a refusal and closes. */
function turnAway(connection: Connection, returnCode: number, reason: CloseReason): void {
  connection.write(Buffer.from([0x20, 2, 0, returnCode]));
  connection.closeFor(reason);
}

/** By certificate, by password, or, where no users are configured, as anybody. */
async function recognise(
  users: Users | undefined,
  connection: Connection,
  name: string | undefined,
  password: Uint8Array | undefined,
): Promise<boolean> {
  const certified = certificateName(connection.socket);
  if (users === undefined) return true;
  if (certified !== undefined && users.has(certified)) {
    connection.user = certified;
    return true;
  }
  if (!(await users.authenticate(name, password))) return false;
  connection.user = name;
  return true;
}

function connectionOf(client: Client): Connection {
  const { conn } = client;
  if (!(conn instanceof Connection)) throw new TypeError("a client that did not come through the guard");
  return conn;
}
