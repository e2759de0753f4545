/** A client for trying a broker out: MQTT 5, or 3.1.1 where the broker speaks nothing else. */

import type { Socket } from "node:net";
import { type IClientOptions, MqttClient } from "mqtt";
import { Fault } from "../errors.ts";
import {
  connectRefused,
  connectTimedOut,
  type Ending,
  socketEnded,
  UNSUPPORTED_VERSION,
} from "./subscriber-endings.ts";
import type { BrokerAddress, SubscriberSettings } from "./subscriber-settings.ts";
import { openSocket } from "./subscriber-socket.ts";

export interface ProbeTarget {
  settings: SubscriberSettings;
  address: BrokerAddress;
  /** Sessions left behind by a check that was interrupted end by themselves after this, with MQTT 5. */
  sessionSeconds: number;
}

export interface ProbeClient {
  client: MqttClient;
  sessionPresent: boolean;
  close(): Promise<void>;
}

/** Rejects with the Fault that says why there is no connection. `onMessage` sees what comes with the CONNACK too. */
export async function openProbeClient(
  target: ProbeTarget,
  clientId: string,
  clean: boolean,
  onMessage: (payload: Buffer) => void = () => {},
): Promise<ProbeClient> {
  const first = await attempt(target, clientOptions(target, clientId, clean, 5), onMessage);
  if ("client" in first) return first;
  if (!mayBeOlder(first)) throw first.fault;
  const second = await attempt(target, clientOptions(target, clientId, clean, 4), onMessage);
  if ("client" in second) return second;
  throw second.fault;
}

function mayBeOlder({ reason, reasonCode }: Ending): boolean {
  if (reasonCode !== undefined) return UNSUPPORTED_VERSION.includes(reasonCode);
  return reason === "closed_by_broker";
}

async function attempt(
  { settings, address }: ProbeTarget,
  options: IClientOptions,
  onMessage: (payload: Buffer) => void,
): Promise<ProbeClient | Ending> {
  let socket: Socket;
  try {
    socket = await openSocket(address, settings.tls);
  } catch (error) {
    return socketEnded(address, error, false);
  }
  return new Promise((resolve) => {
    const client = new MqttClient(() => socket, options);
    const timer = setTimeout(
      () => fail(connectTimedOut(address, settings.connectTimeoutMs)),
      settings.connectTimeoutMs,
    );
    const fail = (ending: Ending) => {
      clearTimeout(timer);
      client.end(true);
      resolve(ending);
    };
    socket.once("error", (error) => fail(socketEnded(address, error, false)));
    client.on("error", (error) => {
      const code = "code" in error && typeof error.code === "number" ? error.code : undefined;
      fail(
        code === undefined
          ? socketEnded(address, error, false)
          : connectRefused(address, code, options.clientId ?? ""),
      );
    });
    client.on("close", () => fail(socketEnded(address, undefined, false)));
    client.on("message", (_topic, payload) => onMessage(payload));
    client.on("connect", ({ sessionPresent }) => {
      clearTimeout(timer);
      resolve({ client, sessionPresent, close: () => client.endAsync() });
    });
    client.connect();
  });
}

function clientOptions(
  { settings, address, sessionSeconds }: ProbeTarget,
  clientId: string,
  clean: boolean,
  version: 4 | 5,
): IClientOptions {
  return {
    manualConnect: true,
    reconnectPeriod: 0,
    connectTimeout: 2 * settings.connectTimeoutMs,
    clean,
    clientId,
    protocolVersion: version,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(version === 4 ? {} : { properties: { sessionExpiryInterval: clean ? 0 : sessionSeconds } }),
  };
}

/** What a subscription to `topic` is granted: 0, 1 or 2; throws Fault `collect.subscription_refused`. */
export async function grantedQos({ client }: ProbeClient, topic: string): Promise<number> {
  return new Promise((resolve, reject) => {
    client.subscribe(topic, { qos: 1 }, (error, _subscriptions, suback) => {
      const code = suback?.granted[0];
      if (typeof code === "number" && code <= 2) resolve(code);
      else reject(refused(topic, error));
    });
  });
}

function refused(topic: string, cause: Error | null): Fault {
  return new Fault("collect.subscription_refused", `the broker does not allow the subscription to ${topic}`, {
    hint: `allow the agent's user to read ${topic} in the broker's access list`,
    cause,
  });
}
