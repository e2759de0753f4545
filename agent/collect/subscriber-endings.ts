/** Why a connection to the broker ended, in words and under a stable name. */

import { codeOf, Fault, messageOf } from "../errors.ts";
import type { BrokerAddress } from "./subscriber-settings.ts";

/** Names under which ended connections are counted. */
export const END_REASONS = [
  "unreachable",
  "tls",
  "connect_timeout",
  "refused",
  "subscription_refused",
  "taken_over",
  "closed_by_broker",
  "keepalive_timeout",
  "protocol_error",
  "not_stored",
] as const;
export type EndReason = (typeof END_REASONS)[number];

export interface Ending {
  reason: EndReason | "stopped";
  fault: Fault;
  /** The broker's reason code, from CONNACK, SUBACK or DISCONNECT. */
  reasonCode?: number;
}

const NETWORK_CODES = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
]);
/** The broker speaks another version: MQTT 3.1.1's and 5's code. */
export const UNSUPPORTED_VERSION: readonly number[] = [1, 132];
const NOT_ALLOWED = new Set([4, 5, 134, 135, 138]);
const BAD_CLIENT_ID = new Set([2, 133]);
const TAKEN_OVER = 142;
const REASONS: Readonly<Record<number, string>> = {
  128: "unspecified error",
  129: "malformed packet",
  130: "protocol error",
  131: "implementation specific error",
  137: "server busy",
  139: "server shutting down",
  141: "keep alive timeout",
  147: "receive maximum exceeded",
  149: "packet too large",
  151: "quota exceeded",
  152: "administrative action",
  156: "use another server",
  157: "server moved",
  160: "maximum connect time",
};

/** The socket failed, or closed where `error` is undefined. */
export function socketEnded(address: BrokerAddress, error: unknown, accepted: boolean): Ending {
  if (error instanceof Fault) {
    const reason = error.code === "collect.tls_file" ? "tls" : "protocol_error";
    return { reason, fault: error };
  }
  const code = codeOf(error);
  if (code !== undefined && NETWORK_CODES.has(code) && !accepted) return unreachable(address, code, error);
  if (error === undefined || code === "ECONNRESET" || code === "EPIPE" || accepted)
    return closed(address, error, accepted);
  if (address.tls) return tlsFailed(address, error);
  return unreachable(address, code, error);
}

function unreachable(address: BrokerAddress, code: string | undefined, cause: unknown): Ending {
  const what = `the broker ${address.shown} can't be reached: ${code ?? messageOf(cause)}`;
  const hint = "check that the broker runs, its address in mqtt.connect, and the network between";
  return ending("unreachable", what, hint, cause);
}

function closed(address: BrokerAddress, cause: unknown, accepted: boolean): Ending {
  const how = cause === undefined ? "closed the connection" : `broke the connection off: ${messageOf(cause)}`;
  const hint = accepted
    ? "its log says why"
    : "check the port in mqtt.connect, and mqtts:// where it is one for TLS; the broker's log says more";
  return ending("closed_by_broker", `the broker ${address.shown} ${how}`, hint, cause);
}

function tlsFailed(address: BrokerAddress, cause: unknown): Ending {
  const what = `no TLS with the broker ${address.shown}: ${tlsProblem(cause)}`;
  const hint =
    "check mqtt.tls.ca_file, the host name in the broker's certificate, the gateway's certificate and the clock";
  return ending("tls", what, hint, cause);
}

/** OpenSSL's own messages name its source files over two lines; its reason is the part for people. */
function tlsProblem(cause: unknown): string {
  const message = messageOf(cause).trim();
  const fromOpenSsl = cause instanceof Error && "reason" in cause && message.includes("SSL routines");
  return fromOpenSsl ? String(cause.reason) : message;
}

export function connectTimedOut(address: BrokerAddress, ms: number): Ending {
  const what = `the broker ${address.shown} has not accepted the connection within ${ms} ms`;
  return ending(
    "connect_timeout",
    what,
    "check the network between, and that mqtt.connect names an MQTT port",
  );
}

export function keepaliveTimedOut(address: BrokerAddress): Ending {
  const what = `the broker ${address.shown} no longer answers pings`;
  return ending("keepalive_timeout", what, "the network between is down, or the broker hangs");
}

/** CONNACK with a code other than 0. */
export function connectRefused(address: BrokerAddress, reasonCode: number, clientId: string): Ending {
  const what = `the broker ${address.shown} refused the connection: ${refusal(reasonCode)}`;
  let hint = "the broker's log says why";
  if (NOT_ALLOWED.has(reasonCode))
    hint = "check mqtt.username and mqtt.password, and the broker's list of users";
  if (BAD_CLIENT_ID.has(reasonCode))
    hint = `the broker does not take the client id ${clientId}: set mqtt.client_id`;
  return { ...ending("refused", what, hint), reasonCode };
}

/** SUBACK with a failure code. */
export function subscriptionRefused(address: BrokerAddress, reasonCode: number, topic: string): Ending {
  const what = `the broker ${address.shown} does not allow the subscription to ${topic} (code ${reasonCode})`;
  const hint = `allow the agent's user to read ${topic} in the broker's access list`;
  return { ...ending("subscription_refused", what, hint), reasonCode };
}

/** MQTT 5 DISCONNECT from the broker. */
export function disconnected(address: BrokerAddress, reasonCode: number, clientId: string): Ending {
  if (reasonCode === TAKEN_OVER) {
    const what = `another client has connected to ${address.shown} as ${clientId} and taken the session over`;
    const hint = "give each agent its own gateway.id or mqtt.client_id, and let no other program use it";
    return { ...ending("taken_over", what, hint), reasonCode };
  }
  const why = REASONS[reasonCode] ?? `code ${reasonCode}`;
  const what = `the broker ${address.shown} closed the connection: ${why}`;
  return { ...ending("closed_by_broker", what, "its log says more"), reasonCode };
}

/** The session broke a rule; `cause` is what the MQTT library said. */
export function protocolBroken(address: BrokerAddress, cause: unknown): Ending {
  const what = `the broker ${address.shown} broke the protocol: ${messageOf(cause)}`;
  return ending("protocol_error", what, "check that mqtt.connect names an MQTT port", cause);
}

/** The buffer could not take a reading: it stays with the broker, which delivers it again. */
export function notStored(address: BrokerAddress, cause: Error): Ending {
  const what = `a reading from ${address.shown} can't be stored and stays with the broker: ${cause.message}`;
  return ending("not_stored", what, "see the buffer's state on the status page", cause);
}

export function stopped(address: BrokerAddress): Ending {
  return { reason: "stopped", fault: new Fault("collect.stopped", `disconnected from ${address.shown}`) };
}

function ending(reason: EndReason, message: string, hint: string, cause?: unknown): Ending {
  return { reason, fault: new Fault(`collect.${reason}`, message, { hint, retry: true, cause }) };
}

function refusal(code: number): string {
  if (UNSUPPORTED_VERSION.includes(code)) return "it speaks another version of MQTT";
  if (BAD_CLIENT_ID.has(code)) return "client id not valid";
  if (code === 4 || code === 134) return "bad user name or password";
  if (code === 5 || code === 135) return "not authorized";
  if (code === 138) return "banned";
  if (code === 3 || code === 136) return "server unavailable";
  return REASONS[code] ?? `code ${code}`;
}
