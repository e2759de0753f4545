/**
 * Tries an existing broker out, for `windfarm check --online`: can the agent get readings from it, and would it keep
 * them while the agent is away. A broker does not publish its settings, so they are measured with messages of our own
 * on a topic no reading is published to and a client id of our own; the agent may be running meanwhile.
 */

import { randomBytes } from "node:crypto";
import { Fault, messageOf } from "../errors.ts";
import { grantedQos, openProbeClient, type ProbeClient, type ProbeTarget } from "./probe-client.ts";
import { readAddress, type SubscriberSettings } from "./subscriber-settings.ts";

export interface BrokerCheck {
  ok: boolean;
  /** One sentence. */
  message: string;
  hint?: string;
}

/** Messages published while nobody is connected: twice what mosquitto queues by default. */
export const QUEUE_TRIAL = 2000;
/** As long as a reading. */
const PAYLOAD_BYTES = 150;
const SESSION_SECONDS = 300;
const ARRIVAL_TIMEOUT_MS = 5000;
const MARKER_EVERY_MS = 200;
const MAX_MARKERS = 100;
const IDLE_MARKERS = 5;

/** The checks made, best first; stops at the first that makes the others impossible. Never rejects. */
export async function probeBroker(settings: SubscriberSettings): Promise<BrokerCheck[]> {
  const checks: BrokerCheck[] = [];
  try {
    const target = { settings, address: readAddress(settings), sessionSeconds: SESSION_SECONDS };
    const clientId = `${settings.clientId}-check-${randomBytes(4).toString("hex")}`;
    checks.push(...(await checkSubscription(target, clientId)));
    checks.push(...(await checkSession(target, clientId)));
  } catch (error) {
    checks.push(failed(error));
  }
  return checks;
}

function failed(error: unknown): BrokerCheck {
  const hint = error instanceof Fault ? error.hint : undefined;
  return { ok: false, message: messageOf(error), ...(hint === undefined ? {} : { hint }) };
}

/** Reachable, let in, and QoS 1 on the topic of the readings. */
async function checkSubscription(target: ProbeTarget, clientId: string): Promise<BrokerCheck[]> {
  const { topic } = target.settings;
  const probe = await openProbeClient(target, clientId, true);
  const connected = { ok: true, message: `the broker ${target.address.shown} accepts the agent` };
  try {
    const qos = await grantedQos(probe, topic);
    if (qos >= 1) return [connected, { ok: true, message: `it grants QoS ${qos} on ${topic}` }];
    const message = `it grants only QoS 0 on ${topic}: readings can be lost on the way`;
    return [connected, { ok: false, message, hint: "allow QoS 1 for the agent at the broker" }];
  } catch (error) {
    return [connected, failed(error)];
  } finally {
    await probe.close();
  }
}

/** The session outlives the connection, and readings wait in it. */
async function checkSession(target: ProbeTarget, clientId: string): Promise<BrokerCheck[]> {
  const topic = trialTopic(target.settings.topic, clientId);
  const trial = new QueueTrial(target, clientId, topic);
  try {
    const problem = await trial.prepare();
    if (problem !== undefined) return [problem];
    return judge(await trial.run());
  } finally {
    await trial.cleanUp();
  }
}

function judge({ sessionPresent, kept }: { sessionPresent: boolean; kept: number }): BrokerCheck[] {
  if (!sessionPresent) {
    const message =
      "it forgets the agent's session when the agent disconnects: readings sent meanwhile are lost";
    return [{ ok: false, message, hint: "let the broker keep persistent sessions (clean session false)" }];
  }
  const session = { ok: true, message: "it keeps the agent's session while the agent is away" };
  if (kept < QUEUE_TRIAL) {
    const message = `it keeps only ${kept} of ${QUEUE_TRIAL} readings while the agent is away: the rest is lost`;
    const hint = "set max_queued_messages 0 and a max_queued_bytes in mosquitto.conf, see docs/mosquitto.md";
    return [session, { ok: false, message, hint }];
  }
  const message = `it keeps readings while the agent is away: all ${kept} of a trial`;
  const hint =
    "whether they survive a restart of the broker can't be seen from here: persistence true in mosquitto.conf";
  return [session, { ok: true, message, hint }];
}

class QueueTrial {
  readonly #target: ProbeTarget;
  readonly #clientId: string;
  readonly #topic: string;
  /** Numbers of the trial's messages that came back, and everything else that came. */
  readonly #kept = new Set<string>();
  readonly #others = new Set<string>();
  #session: ProbeClient | undefined;
  #publisher: ProbeClient | undefined;
  #arrived: () => void = () => {};

  constructor(target: ProbeTarget, clientId: string, topic: string) {
    this.#target = target;
    this.#clientId = clientId;
    this.#topic = topic;
  }

  /** Opens both ends and sends one message through; what keeps the trial from being made. */
  async prepare(): Promise<BrokerCheck | undefined> {
    this.#session = await this.#openSession();
    const granted = await grantedQos(this.#session, this.#topic).catch(() => undefined);
    if (granted === undefined) return notMeasured(`may not subscribe to ${this.#topic}`, this.#topic);
    if (granted === 0) return notMeasured(`is granted only QoS 0 on ${this.#topic}`, this.#topic);
    this.#publisher = await openProbeClient(this.#target, `${this.#clientId}-p`, true);
    // A broker of MQTT 3.1.1 acknowledges what it then throws away: only an arrival is a permission.
    await this.#publisher.client.publishAsync(this.#topic, "hello", { qos: 1 }).catch(() => {});
    await this.#until(() => this.#others.has("hello"), ARRIVAL_TIMEOUT_MS);
    if (this.#others.has("hello")) return undefined;
    return notMeasured(`may not publish to ${this.#topic}`, this.#topic);
  }

  async run(): Promise<{ sessionPresent: boolean; kept: number }> {
    await this.#session?.close();
    const numbers = Array.from({ length: QUEUE_TRIAL }, (_, index) => String(index));
    await Promise.all(numbers.map((number) => this.#publish(number.padEnd(PAYLOAD_BYTES))));
    this.#session = await this.#openSession();
    const { sessionPresent } = this.#session;
    if (sessionPresent) await this.#drain();
    return { sessionPresent, kept: this.#kept.size };
  }

  /** Ends the session for good, so that the broker queues nothing for it. */
  async cleanUp(): Promise<void> {
    await this.#session?.close();
    await this.#publisher?.close();
    const last = await openProbeClient(this.#target, this.#clientId, true).catch(() => undefined);
    await last?.close();
  }

  /**
   * Until all came, or nothing more comes. Brokers may deliver new messages before the queued ones, and drop new ones
   * while the queue is full: so a marker is sent again and again, and several that come must bring no news.
   */
  async #drain(): Promise<void> {
    for (let tries = 0, idle = 0; tries < MAX_MARKERS && idle < IDLE_MARKERS; tries++) {
      const before = this.#kept.size;
      const marker = `marker ${tries}`;
      void this.#publish(marker);
      await this.#until(() => this.#kept.size === QUEUE_TRIAL, MARKER_EVERY_MS);
      if (this.#kept.size === QUEUE_TRIAL) return;
      idle = this.#others.has(marker) && this.#kept.size === before ? idle + 1 : 0;
    }
  }

  async #publish(payload: string): Promise<void> {
    await this.#publisher?.client.publishAsync(this.#topic, payload, { qos: 1 }).catch(() => {});
  }

  #openSession(): Promise<ProbeClient> {
    return openProbeClient(this.#target, this.#clientId, false, (payload) => {
      const text = payload.toString().trimEnd();
      (/^\d+$/.test(text) ? this.#kept : this.#others).add(text);
      this.#arrived();
    });
  }

  /** Resolves when `condition` holds after an arrival, or after `timeoutMs`. */
  async #until(condition: () => boolean, timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#arrived = () => {
        if (!condition()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#arrived();
    });
  }
}

function notMeasured(what: string, topic: string): BrokerCheck {
  return {
    ok: false,
    message: `whether it keeps readings while the agent is away was not measured: the agent's user ${what}`,
    hint: `allow it for the check, or look yourself: docs/mosquitto.md says what to set (topic ${topic})`,
  };
}

/** A topic with another number of levels than the readings', so that no agent takes the trial for readings. */
function trialTopic(filter: string, clientId: string): string {
  const topic = `windfarm/_check/${clientId}/queue`;
  return filter.split("/").length === topic.split("/").length ? `${topic}/1` : topic;
}
