/** A sensor that knows what was acknowledged to it, and what of that is not in the buffers. */

import { connectAsync, type MqttClient } from "mqtt";
import { readingOf } from "./flood.ts";

/** Between batches of 20, so that the load is about a thousand readings a second. */
const PACE_MS = 20;
const LAST_TOPIC = "windfarm/T01/temperature-battery";
const LAST = '{"id":"last","data":23,"type":"Temperature Battery","date":"2026-11-22T12:00:00.000Z"}';

/** Publishes readings one batch after the other for as long as it is let, and remembers which were acknowledged. */
export class Sensor {
  readonly acknowledged = new Set<string>();
  readonly #client: MqttClient;
  #next = 0;
  #running = true;
  #finished: Promise<void> = Promise.resolve();

  constructor(client: MqttClient) {
    this.#client = client;
    client.on("error", () => {});
  }

  static async connect(port: number): Promise<Sensor> {
    const url = `mqtt://127.0.0.1:${port}`;
    return new Sensor(await connectAsync(url, { clientId: "sensor", clean: false, reconnectPeriod: 50 }));
  }

  async publish(count: number): Promise<void> {
    const indices = Array.from({ length: count }, () => this.#next++);
    await Promise.all(indices.map((index) => this.#one(index)));
  }

  publishOn(): void {
    const loop = async () => {
      while (this.#running) {
        await this.publish(20);
        await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      }
    };
    this.#finished = loop();
  }

  async has(acknowledged: number): Promise<void> {
    while (this.acknowledged.size < acknowledged) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** The last message is a reading of another type: when it has come, all before it have. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#finished;
    await this.#client.publishAsync(LAST_TOPIC, LAST, { qos: 1 });
    await this.#client.endAsync();
  }

  async #one(index: number): Promise<void> {
    await this.#client.publishAsync("windfarm/T01/power-factor", readingOf(index), { qos: 1 });
    this.acknowledged.add(`PP_${index}`);
  }
}

/** Acknowledged readings that are in none of the buffers. */
export function missing(
  acknowledged: ReadonlySet<string>,
  ...buffers: ReadonlyMap<string, number>[]
): string[] {
  return [...acknowledged].filter((id) => !buffers.some((buffer) => buffer.has(id)));
}

/** Deliveries in a buffer, those made twice counted twice. */
export function total(buffer: ReadonlyMap<string, number>): number {
  return [...buffer.values()].reduce((sum, count) => sum + count, 0);
}
