/**
 * A turbine's connection to the broker, as a careful sensor keeps it. Its invariants:
 *
 *   - a message leaves the outbox only when its PUBACK came (QoS 1), or when the outbox overflows: the oldest first
 *   - what was sent and not acknowledged when a connection ended is sent again, first, on the next one
 *   - messages are sent in the order they came
 *
 * Each connection is a client of its own, and what is outstanding is kept here, because mqtt.js sends again one
 * message at a time, waiting for each PUBACK.
 */

import { connect, type IClientOptions, type MqttClient } from "mqtt";
import type { Random } from "./random.ts";
import type { Message } from "./turbine.ts";

export interface PublisherSettings {
  clientId: string;
  /** `mqtt://host:port` or `mqtts://host:port`. */
  url: string;
  /** Credentials and certificates. */
  access: Pick<IClientOptions, "username" | "password" | "ca" | "cert" | "key">;
  /** Messages kept while they can't be sent. */
  outboxMessages: number;
}

export interface PublisherEvents {
  acknowledged(message: Message): void;
  /** The outbox overflowed. */
  lost(message: Message): void;
  connected(clientId: string): void;
  /** A try to connect failed, or the connection ended. */
  disconnected(clientId: string, problem: string): void;
  /** Nothing is outstanding any more. */
  empty(): void;
}

/** Messages sent and not yet acknowledged; below the 65 535 packet ids MQTT has. */
const WINDOW = 2_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_SECONDS = 15;

export class Publisher {
  /** Messages handed to the network, each time they were. */
  published = 0;
  readonly #settings: PublisherSettings;
  readonly #events: PublisherEvents;
  readonly #random: Random;
  readonly #inFlight = new Set<Message>();
  #outbox: Message[] = [];
  #outboxStart = 0;
  #client: MqttClient | undefined;
  #ready = false;
  #closed = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(settings: PublisherSettings, events: PublisherEvents, random: Random) {
    this.#settings = settings;
    this.#events = events;
    this.#random = random;
  }

  /** Messages not yet acknowledged. */
  get outstanding(): number {
    return this.#inFlight.size + this.#outbox.length - this.#outboxStart;
  }

  start(): void {
    this.#connect();
  }

  send(message: Message): void {
    this.#outbox.push(message);
    this.#pump();
    const excess = this.#outbox.length - this.#outboxStart - this.#settings.outboxMessages;
    if (excess > 0) this.#events.lost(this.#takeOldest());
  }

  /** Ends the connection; what is outstanding stays so. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ready = false;
    clearTimeout(this.#retry);
    const client = this.#client;
    // Unforced, mqtt.js would wait for what is outstanding, and for ever.
    if (client !== undefined) await client.endAsync(!client.connected || this.outstanding > 0);
  }

  #connect(): void {
    const { url, clientId, access } = this.#settings;
    const client = connect(url, {
      ...access,
      clientId,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 0,
      keepalive: KEEPALIVE_SECONDS,
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
    let problem = "the connection was closed";
    this.#client = client;
    client.on("connect", () => {
      this.#ready = true;
      this.#failures = 0;
      this.#events.connected(clientId);
      this.#pump();
    });
    client.on("error", (error) => {
      problem = describe(error);
    });
    client.once("close", () => {
      if (this.#client === client) this.#disconnected(problem);
    });
  }

  #disconnected(problem: string): void {
    this.#ready = false;
    this.#client = undefined;
    if (this.#closed) return;
    this.#outbox = [...this.#inFlight, ...this.#outbox.slice(this.#outboxStart)];
    this.#outboxStart = 0;
    this.#inFlight.clear();
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++);
    this.#retry = setTimeout(() => this.#connect(), this.#random.between(longest / 2, longest));
    this.#events.disconnected(this.#settings.clientId, problem);
  }

  #pump(): void {
    while (this.#ready && this.#inFlight.size < WINDOW && this.#outboxStart < this.#outbox.length) {
      this.#publish(this.#takeOldest());
    }
  }

  #publish(message: Message): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#inFlight.add(message);
    this.published++;
    client.publish(message.topic, message.payload, { qos: 1 }, (error) => {
      if (error || this.#client !== client || !this.#inFlight.delete(message)) return;
      this.#events.acknowledged(message);
      this.#pump();
      if (this.outstanding === 0) this.#events.empty();
    });
  }

  /** The outbox is an array with a moving start, cut off now and then, so that taking is O(1). */
  #takeOldest(): Message {
    const message = this.#outbox[this.#outboxStart++] as Message;
    if (this.#outboxStart >= 1024 && this.#outboxStart * 2 >= this.#outbox.length) {
      this.#outbox = this.#outbox.slice(this.#outboxStart);
      this.#outboxStart = 0;
    }
    return message;
  }
}

/** mqtt.js gives an AggregateError without text where a name has several addresses. */
function describe(error: Error): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors
      .map((inner: unknown) => (inner instanceof Error ? inner.message : String(inner)))
      .join("; ");
  }
  return error.message;
}
