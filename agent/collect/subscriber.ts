/**
 * Collects from an existing broker (`mqtt.connect`).
 *
 *   broker ──PUBLISH──▶ accept ──▶ (commit) ──▶ stored ──PUBACK──▶ broker
 *
 * - A reading is acknowledged to the broker only when it is on disk, in the order received; until then the broker keeps
 *   it in our session (stable client id, no clean start) and delivers it again after any interruption.
 * - Acknowledgements never cross connections.
 * - It reconnects for ever, more and more slowly, and subscribes at each connection.
 * - MQTT 5 first, 3.1.1 where the broker does not speak it.
 */

import { performance } from "node:perf_hooks";
import type { Logger } from "pino";
import { type Fault, messageOf } from "../errors.ts";
import type { Collector, CollectorStats, Intake } from "./intake.ts";
import type { After, BrokerConnection } from "./subscriber-connection.ts";
import { type Ending, type EndReason, socketEnded, UNSUPPORTED_VERSION } from "./subscriber-endings.ts";
import { RetryPolicy } from "./subscriber-retry.ts";
import { type BrokerAddress, readAddress, type SubscriberSettings } from "./subscriber-settings.ts";
import { openSocket } from "./subscriber-socket.ts";

export interface SubscriberDeps {
  log: Logger;
  /** Monotonic, ms. */
  now?: () => number;
  /** In [0, 1). */
  random?: () => number;
  after?: After;
  open?: typeof openSocket;
}

/** Throws Fault `collect.settings` where `settings` can't be meant. */
export function createSubscriber(
  settings: SubscriberSettings,
  intake: Intake,
  deps: SubscriberDeps,
): Collector {
  return new Subscriber(settings, readAddress(settings), intake, {
    now: () => performance.now(),
    random: Math.random,
    after: realAfter,
    open: openSocket,
    ...deps,
  });
}

class Subscriber implements Collector {
  readonly #settings: SubscriberSettings;
  readonly #address: BrokerAddress;
  readonly #intake: Intake;
  readonly #deps: Required<SubscriberDeps>;
  readonly #retry: RetryPolicy;
  readonly #closed: Record<string, number> = {};
  #connection: BrokerConnection | undefined;
  #cancelRetry: () => void = () => {};
  #stopping = false;
  #version: 4 | 5 = 5;
  /** The version is one the broker has accepted. */
  #settled = false;
  #openedAt = 0;
  #accepted = false;
  #grantedQos = -1;
  #hadSession = false;
  /** What was last said in the log, so that it is said once. */
  #said: EndReason | undefined;

  constructor(
    settings: SubscriberSettings,
    address: BrokerAddress,
    intake: Intake,
    deps: Required<SubscriberDeps>,
  ) {
    this.#settings = settings;
    this.#address = address;
    this.#intake = intake;
    this.#deps = deps;
    this.#retry = new RetryPolicy(deps.random);
  }

  /** Resolves at once: the broker may come later. */
  async start(): Promise<void> {
    const { topic, clientId } = this.#settings;
    this.#deps.log.info(
      { broker: this.#address.shown, topic, clientId },
      `collecting from ${this.#address.shown}`,
    );
    void this.#connect();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#cancelRetry();
    await this.#connection?.stop(deadlineMs);
  }

  stats(): CollectorStats {
    return {
      mode: "connect",
      url: this.#address.shown,
      ready: this.#accepted && this.#grantedQos >= 1 && !this.#stopping,
      connections: this.#accepted ? 1 : 0,
      closedConnections: { ...this.#closed },
      refusedLogins: {},
    };
  }

  /** Nothing to do: certificates are read at each connection. */
  reload(): void {}

  async #connect(): Promise<void> {
    const { open, after, now } = this.#deps;
    this.#openedAt = now();
    try {
      // Only here: an agent that is its own broker starts without mqtt.js.
      const { BrokerConnection } = await import("./subscriber-connection.ts");
      const socket = await open(this.#address, this.#settings.tls);
      if (this.#stopping) {
        socket.destroy();
        return;
      }
      const setup = {
        settings: this.#settings,
        address: this.#address,
        version: this.#version,
        intake: this.#intake,
        after,
      };
      this.#connection = new BrokerConnection(socket, setup, {
        accepted: (sessionPresent) => this.#onAccepted(sessionPresent),
        subscribed: (qos) => this.#onSubscribed(qos),
        ended: (ending) => this.#onEnded(ending),
      });
      this.#connection.start();
    } catch (error) {
      this.#onEnded(socketEnded(this.#address, error, false));
    }
  }

  #onAccepted(sessionPresent: boolean): void {
    this.#accepted = true;
    this.#settled = true;
    if (this.#hadSession && !sessionPresent) {
      const hint = "set persistence true in mosquitto.conf, see docs/mosquitto.md";
      const what = `the broker ${this.#address.shown} has lost the session: what it had queued for the agent is gone`;
      this.#deps.log.error({ clientId: this.#settings.clientId, hint }, what);
    }
    this.#hadSession = true;
  }

  #onSubscribed(qos: number): void {
    this.#grantedQos = qos;
    const { topic } = this.#settings;
    if (qos === 0) {
      const what = `the broker ${this.#address.shown} grants only QoS 0 on ${topic}: readings can be lost on the way`;
      this.#deps.log.error({ hint: "allow QoS 1 for the agent at the broker" }, what);
      return;
    }
    const mqtt = this.#version === 5 ? "5" : "3.1.1";
    this.#deps.log.info({ broker: this.#address.shown, topic, qos, mqtt }, `subscribed to ${topic}`);
    this.#said = undefined;
  }

  #onEnded(ending: Ending): void {
    const attempt = { subscribed: this.#grantedQos >= 0, livedMs: this.#deps.now() - this.#openedAt };
    const accepted = this.#accepted;
    this.#connection = undefined;
    this.#accepted = false;
    this.#grantedQos = -1;
    if (this.#stopping || ending.reason === "stopped") return;
    const { reason, fault } = ending;
    const version = this.#version;
    const explained = ending.reasonCode !== undefined;
    const tryOther = this.#wantsOtherVersion(ending, accepted);
    if (tryOther) this.#version = version === 5 ? 4 : 5;
    if (tryOther && version === 5 && reason === "refused") {
      this.#connectAfter(0);
      return;
    }
    this.#closed[reason] = (this.#closed[reason] ?? 0) + 1;
    const { delayMs, rival } = this.#retry.next({ reason, explained, ...attempt });
    this.#say(reason, fault, delayMs);
    if (rival !== undefined) this.#sayRival(rival);
    this.#connectAfter(delayMs);
  }

  /** Told so by a refusal; or, before any version was accepted, guessed from a close without a word. */
  #wantsOtherVersion({ reason, reasonCode }: Ending, accepted: boolean): boolean {
    if (reason === "refused") return reasonCode !== undefined && UNSUPPORTED_VERSION.includes(reasonCode);
    return reason === "closed_by_broker" && !accepted && !this.#settled;
  }

  #connectAfter(delayMs: number): void {
    this.#cancelRetry = this.#deps.after(delayMs, () => void this.#connect());
  }

  #say(reason: EndReason, fault: Fault, delayMs: number): void {
    const details = { code: fault.code, hint: fault.hint, retryMs: Math.round(delayMs) };
    const repeated = this.#said === reason;
    this.#said = reason;
    if (repeated) this.#deps.log.debug(details, messageOf(fault));
    else this.#deps.log.warn(details, messageOf(fault));
  }

  #sayRival(rival: "certain" | "likely"): void {
    const { clientId } = this.#settings;
    const hint =
      "give each agent its own gateway.id or mqtt.client_id; docs/mosquitto.md shows how to find the other";
    const what =
      rival === "certain"
        ? `another client uses the client id ${clientId}: the two throw each other out`
        : `the broker closes good connections again and again: another client probably uses the client id ${clientId}`;
    this.#deps.log.error({ code: "collect.two_clients_one_id", clientId, hint }, what);
  }
}

function realAfter(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
