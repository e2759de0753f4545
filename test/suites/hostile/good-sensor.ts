/**
 * A sensor with a password that behaves: while attacks go on its readings are acknowledged, and thrown out it comes back. A process of
 * its own (good-sensor-main.ts), or what the attackers cost here would be told of it.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { z } from "zod";
import { WireClient } from "../../helpers/mqtt-wire.ts";

const TOPIC = "windfarm/T07/power-factor";
const MESSAGE_IDS = 60_000;

const Service = z.object({
  /** From PUBLISH to PUBACK, ms. */
  p99Ms: z.number(),
  readings: z.number(),
  /** The longest of its ways back in, from TCP to CONNACK, ms. */
  slowestReturnMs: z.number(),
});
export type Service = z.infer<typeof Service>;

/** What the test holds of it. */
export interface SensorProcess {
  /** Serves until told. */
  serve(signal: AbortSignal): Promise<Service>;
  stop(): void;
}

/** Resolves once the sensor is in. */
export async function forkGoodSensor(port: number, username: string): Promise<SensorProcess> {
  const child = fork(join(import.meta.dirname, "good-sensor-main.ts"), [String(port), username]);
  await once(child, "message");
  return {
    async serve(signal) {
      child.send("serve");
      signal.addEventListener("abort", () => child.send("enough"));
      const [told] = await Promise.race([once(child, "message"), once(child, "exit")]);
      return Service.parse(told);
    },
    stop: () => child.disconnect(),
  };
}

export class GoodSensor {
  readonly #port: number;
  readonly #username: string;
  #client: WireClient;
  #sent = 0;

  private constructor(port: number, username: string, client: WireClient) {
    this.#port = port;
    this.#username = username;
    this.#client = client;
  }

  static async open(port: number, username: string): Promise<GoodSensor> {
    return new GoodSensor(port, username, await enter(port, username));
  }

  /** Publishes one reading after the other until told, and every second it is thrown out and comes back. */
  async serve(signal: AbortSignal): Promise<Service> {
    const waits: number[] = [];
    const returns: number[] = [];
    let since = performance.now();
    while (!signal.aborted || returns.length === 0) {
      waits.push(await this.#publish());
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (performance.now() - since < 1000) continue;
      returns.push(await this.#comeBack());
      since = performance.now();
    }
    waits.sort((a, b) => a - b);
    const p99Ms = waits[Math.floor(waits.length * 0.99)] ?? Number.NaN;
    return { p99Ms, readings: waits.length, slowestReturnMs: Math.max(...returns) };
  }

  async #publish(): Promise<number> {
    const id = 1 + (this.#sent++ % MESSAGE_IDS);
    const reading = { id: `G${this.#sent}`, data: 0.9, type: "Power Factor", date: new Date().toISOString() };
    const started = performance.now();
    this.#client.publish(TOPIC, JSON.stringify(reading), id);
    await Promise.race([
      this.#client.until((packets) => packets.some((p) => p.cmd === "puback" && p.messageId === id)),
      this.#client.closed().then(() => Promise.reject(new Error("the good sensor was thrown out"))),
    ]);
    this.#client.received.length = 0;
    return performance.now() - started;
  }

  async #comeBack(): Promise<number> {
    const started = performance.now();
    this.#client.socket.destroy();
    this.#client = await enter(this.#port, this.#username);
    return performance.now() - started;
  }
}

/** Tries again at once if it is turned away, as sensors do. */
async function enter(port: number, username: string): Promise<WireClient> {
  for (;;) {
    const client = await WireClient.open(port);
    client.connect({ clientId: `good-${username}`, username, password: Buffer.from("secret") });
    const answered = client.until((packets) => packets.some(({ cmd }) => cmd === "connack"));
    await Promise.race([answered, client.closed()]);
    const [first] = client.received;
    if (first?.cmd === "connack" && first.returnCode === 0) return client;
    client.socket.destroy();
  }
}
