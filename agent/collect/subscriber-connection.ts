/**
 * One connection to the broker, from the socket to its end. mqtt.js connects, subscribes and pings; PUBLISH and its
 * acknowledgements go past it (subscriber-stream.ts). A connection is never used again: whatever it still held when it
 * ended is delivered again on the next one.
 */

import type { Socket } from "node:net";
import { type IClientOptions, MqttClient } from "mqtt";
import { Acknowledgements } from "./acknowledgements.ts";
import type { Intake } from "./intake.ts";
import {
  connectRefused,
  connectTimedOut,
  disconnected,
  type Ending,
  keepaliveTimedOut,
  notStored,
  protocolBroken,
  socketEnded,
  stopped,
  subscriptionRefused,
} from "./subscriber-endings.ts";
import {
  type BrokerAddress,
  HELD_OVERHEAD_BYTES,
  MAX_HELD_BYTES,
  RECEIVE_MAXIMUM,
  SESSION_EXPIRY_SECONDS,
  type SubscriberSettings,
} from "./subscriber-settings.ts";
import { BrokerStream } from "./subscriber-stream.ts";

/** Calls `run` after `ms`; what it returns cancels. */
export type After = (ms: number, run: () => void) => () => void;

export interface ConnectionSetup {
  settings: SubscriberSettings;
  address: BrokerAddress;
  version: 4 | 5;
  intake: Intake;
  after: After;
}

export interface ConnectionEvents {
  /** The broker accepted us; whether it still had our session. */
  accepted(sessionPresent: boolean): void;
  /** Readings flow, at the QoS the broker granted. */
  subscribed(qos: number): void;
  /** Called once; the socket is closed. */
  ended(ending: Ending): void;
}

/** Twice the messages that can be held, for those that came in one piece with the last of them; a power of two. */
const HELD_SLOTS = (2 * MAX_HELD_BYTES) / HELD_OVERHEAD_BYTES;
const NO_TIMEOUT_MS = 2 ** 31 - 1;

export class BrokerConnection {
  readonly #setup: ConnectionSetup;
  readonly #events: ConnectionEvents;
  readonly #stream: BrokerStream;
  readonly #acks = new Acknowledgements(HELD_SLOTS, MAX_HELD_BYTES);
  readonly #client: Session;
  #cancelTimeout: () => void = () => {};
  #accepted = false;
  #subscribed = false;
  #flushPlanned = false;
  #paused = false;
  #stopping = false;
  #ending: Ending | undefined;
  #drained: () => void = () => {};

  constructor(socket: Socket, setup: ConnectionSetup, events: ConnectionEvents) {
    const { settings, address, version } = setup;
    this.#setup = setup;
    this.#events = events;
    this.#stream = new BrokerStream(
      socket,
      { maxPayloadBytes: settings.maxPacketBytes, version },
      {
        publish: (...received) => this.#received(...received),
        pubrel: (id) => this.#stream.send(Buffer.from([0x70, 2, id >> 8, id & 0xff])),
      },
    );
    this.#client = new Session(this.#stream, clientOptions(setup), () => this.#unanswered());
    this.#stream.once("error", (error) => this.#end(socketEnded(address, error, this.#accepted)));
    this.#client.once("close", () => this.#closed());
    this.#client.on("connect", ({ sessionPresent }) => this.#connected(sessionPresent));
    this.#client.on("disconnect", ({ reasonCode }) =>
      this.#end(disconnected(address, reasonCode ?? 0, settings.clientId)),
    );
    this.#client.on("error", (error) => this.#failed(error));
  }

  start(): void {
    const { after, address, settings } = this.#setup;
    this.#cancelTimeout = after(settings.connectTimeoutMs, () =>
      this.#end(connectTimedOut(address, settings.connectTimeoutMs)),
    );
    this.#client.connect();
  }

  /** Reads nothing more, acknowledges what is being stored for up to `deadlineMs`, says goodbye; the session stays. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#stream.pauseReading();
    const closed = new Promise<void>((resolve) => this.#stream.once("close", resolve));
    const giveUp = this.#setup.after(deadlineMs, () => this.#end(stopped(this.#setup.address)));
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      if (this.#ending === undefined) this.#flush();
      else resolve();
    });
    // mqtt.js would wait for a SUBACK that is no longer read.
    if (!this.#subscribed) this.#end(stopped(this.#setup.address));
    else if (this.#ending === undefined) {
      this.#ending = stopped(this.#setup.address);
      this.#client.end();
      // Read on, to no effect: closed with unread bytes, TCP would reset, and the broker lose our last acknowledgements.
      this.#stream.resumeReading();
    }
    if (!this.#stream.closed) await closed;
    giveUp();
  }

  /** One function for all messages: they are stored in the order of the calls, and the buffer tells senders apart by it. */
  readonly #stored = (error?: Error | null): void => {
    this.#acks.stored();
    if (error) this.#end(notStored(this.#setup.address, error));
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    // After the whole commit group has called back, so that its acknowledgements leave in one write.
    queueMicrotask(() => this.#flush());
  };

  #received(topic: string, payload: Buffer, qos: 0 | 1 | 2, id: number, dup: boolean): void {
    if (this.#ending !== undefined) return;
    this.#acks.take(qos, id, payload.length + HELD_OVERHEAD_BYTES);
    this.#setup.intake.accept(topic, payload, dup, this.#stored);
    if (!this.#paused && this.#acks.full) {
      this.#paused = true;
      this.#stream.pauseReading();
    }
  }

  /** Acknowledgements belong to their connection: once it ends none is sent, and the broker delivers again on the next. */
  #flush(): void {
    this.#flushPlanned = false;
    if (this.#ending !== undefined) return;
    const acks = this.#acks.flush();
    if (acks.length > 0) this.#stream.send(acks);
    if (this.#paused && !this.#stopping && !this.#acks.full) {
      this.#paused = false;
      this.#stream.resumeReading();
    }
    if (this.#acks.open === 0) this.#drained();
  }

  #connected(sessionPresent: boolean): void {
    if (this.#ending !== undefined) return;
    this.#cancelTimeout();
    this.#accepted = true;
    this.#events.accepted(sessionPresent);
    const { topic } = this.#setup.settings;
    // Always: mqtt.js would not where the session was lost, and the configured topic may be another than the session's.
    this.#client.subscribe(topic, subscribeOptions(this.#setup.version), (error, _subscriptions, suback) => {
      if (this.#ending !== undefined) return;
      const code = suback?.granted[0];
      if (typeof code !== "number")
        this.#end(protocolBroken(this.#setup.address, error ?? "a SUBACK without a code"));
      else if (code > 2) this.#end(subscriptionRefused(this.#setup.address, code, topic));
      else {
        this.#subscribed = true;
        this.#events.subscribed(code);
      }
    });
  }

  /** An error mqtt.js tells: a refused CONNECT, or a broken rule. Those of the socket are known already. */
  #failed(error: Error): void {
    const code = reasonCodeOf(error);
    const { address, settings } = this.#setup;
    if (!this.#accepted && code !== undefined) this.#end(connectRefused(address, code, settings.clientId));
    else this.#end(protocolBroken(address, error));
  }

  /** No PINGRESP in time; while reading is paused it can't be seen, so the connection is given the benefit. */
  #unanswered(): void {
    if (!this.#paused) this.#end(keepaliveTimedOut(this.#setup.address));
    else this.#client.pingAgain();
  }

  #end(ending: Ending): void {
    if (this.#ending === undefined) this.#ending = ending;
    this.#stream.destroy();
  }

  #closed(): void {
    this.#cancelTimeout();
    const ending = this.#ending ?? socketEnded(this.#setup.address, undefined, this.#accepted);
    this.#ending = ending;
    this.#drained();
    this.#client.end(true);
    this.#events.ended(ending);
  }
}

/** mqtt.js, used for one connection. */
class Session extends MqttClient {
  readonly #unanswered: () => void;

  constructor(stream: BrokerStream, options: IClientOptions, unanswered: () => void) {
    super(() => stream, options);
    this.#unanswered = unanswered;
  }

  override onKeepaliveTimeout(): void {
    this.#unanswered();
  }

  pingAgain(): void {
    this.sendPing();
    this.reschedulePing(true);
  }
}

function clientOptions({ settings, address, version }: ConnectionSetup): IClientOptions {
  return {
    manualConnect: true,
    reconnectPeriod: 0,
    resubscribe: false,
    connectTimeout: NO_TIMEOUT_MS,
    clean: false,
    clientId: settings.clientId,
    keepalive: Math.ceil(settings.keepaliveMs / 1000),
    protocolVersion: version,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(version === 4
      ? {}
      : { properties: { sessionExpiryInterval: SESSION_EXPIRY_SECONDS, receiveMaximum: RECEIVE_MAXIMUM } }),
  };
}

/** QoS 1: a reading published with 2 comes with 1, stored at least once, and the lake counts it once. */
function subscribeOptions(version: 4 | 5) {
  // rh 1: retained messages come when the subscription is new, not at each reconnection.
  return version === 5 ? { qos: 1 as const, rh: 1 } : { qos: 1 as const };
}

function reasonCodeOf(error: Error): number | undefined {
  return "code" in error && typeof error.code === "number" ? error.code : undefined;
}
