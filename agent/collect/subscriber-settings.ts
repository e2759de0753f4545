/** What the subscriber needs to know, and its limits. */

import { EXIT, Fault } from "../errors.ts";

export interface SubscriberSettings {
  /** `mqtt://host[:1883]` or `mqtts://host[:8883]`; a user and password in it count where none are given beside it. */
  url: string;
  /** Must be the gateway's own and stay the same: the broker keeps unacknowledged readings under it. */
  clientId: string;
  username?: string;
  password?: string;
  /** Subscribed to with QoS 1; `+` is fine, `#` is not. */
  topic: string;
  /** A longer payload is cut to this many bytes, so that it ends among the rejects, not in the memory. */
  maxPacketBytes: number;
  /** From the first SYN to the CONNACK, ms. */
  connectTimeoutMs: number;
  /** 0 for none, ms. */
  keepaliveMs: number;
  /** PEM files, read at each connect so that a renewed certificate needs no restart. Only with `mqtts:`. */
  tls?: { caFile?: string; certFile?: string; keyFile?: string };
}

/** Where the broker is and who we are there. */
export interface BrokerAddress {
  host: string;
  port: number;
  tls: boolean;
  username: string | undefined;
  password: string | undefined;
  /** Without credentials, for people. */
  shown: string;
}

/**
 * Messages an MQTT 5 broker may have on the way to us. Without it mosquitto keeps to its own
 * `max_inflight_messages`, 20, and a commit serves 20 readings only.
 */
export const RECEIVE_MAXIMUM = 1024;
/** Asked of an MQTT 5 broker: the session never ends by itself, as in MQTT 3.1.1. Seconds. */
export const SESSION_EXPIRY_SECONDS = 0xffff_ffff;
/**
 * Reading stops while this much waits for its fsync. Needed: each PUBACK makes mosquitto
 * 2.0.11 send another window of a backlog, so that soon all of it is on the way. Bytes.
 */
export const MAX_HELD_BYTES = 8 * 1024 * 1024;
/** What a waiting message takes beside its payload. Bytes. */
export const HELD_OVERHEAD_BYTES = 256;

const PORTS: Readonly<Record<string, number>> = { "mqtt:": 1883, "mqtts:": 8883 };

/** Throws Fault `collect.settings` for an URL that is none, another scheme, or `#` in the topic. */
export function readAddress(settings: SubscriberSettings): BrokerAddress {
  if (settings.topic.includes("#")) {
    throw wrong(
      `the topic "${settings.topic}" contains #`,
      "subscribe to windfarm/+/+ or another filter with one or two +",
    );
  }
  if (settings.clientId === "")
    throw wrong("the client id is empty", "leave mqtt.client_id out to use windfarm-<gateway id>");
  if (!URL.canParse(settings.url))
    throw wrong(`"${settings.url}" is no URL`, "write mqtt://host:1883 or mqtts://host:8883");
  const url = new URL(settings.url);
  const port = PORTS[url.protocol];
  if (port === undefined || url.hostname === "") {
    throw wrong(
      `"${url.protocol}//${url.host}" is no broker's address`,
      "write mqtt://host:1883 or mqtts://host:8883",
    );
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? port : Number(url.port),
    tls: url.protocol === "mqtts:",
    username: settings.username ?? (url.username === "" ? undefined : decodeURIComponent(url.username)),
    password: settings.password ?? (url.password === "" ? undefined : decodeURIComponent(url.password)),
    shown: `${url.protocol}//${url.hostname}:${url.port === "" ? port : url.port}`,
  };
}

function wrong(what: string, hint: string): Fault {
  return new Fault("collect.settings", `mqtt.connect: ${what}`, { hint, exitCode: EXIT.config });
}
