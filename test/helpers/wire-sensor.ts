/** A sensor that behaves: QoS 1, a bounded number of readings under way, and a list of what was acknowledged to it. */

import { randomBytes } from "node:crypto";
import { WireClient } from "./mqtt-wire.ts";

export interface SensorOptions {
  /** Before the number of each reading's id. */
  name: string;
  /** Readings under way at most. */
  window: number;
  /** Sends at most one reading in so many ms; 0: as fast as it is acknowledged. */
  everyMs?: number;
  /** Random characters in each id, for readings that do not shrink much. */
  ballast?: number;
}

const MESSAGE_IDS = 65_535;

export class WireSensor {
  readonly #options: SensorOptions;
  readonly #client: WireClient;
  readonly #underWay = new Map<number, { id: string; sentMs: number }>();
  readonly #waiting: { done: () => boolean; resolve: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending = false;
  #sent = 0;
  /** Ids of readings whose PUBACK came. */
  readonly acknowledged = new Set<string>();
  /** Readings for which the wait for the PUBACK was the longest so far, ms. */
  slowestMs = 0;
  /** The other side closed the connection. */
  dropped = false;

  private constructor(client: WireClient, options: SensorOptions) {
    this.#client = client;
    this.#options = options;
    client.socket.on("close", () => {
      this.dropped = true;
      this.#tell();
    });
    client.onPacket((packet) => {
      if (packet.cmd === "puback") this.#acknowledged(packet.messageId ?? 0);
    });
  }

  static async open(port: number, options: SensorOptions): Promise<WireSensor> {
    return new WireSensor(await WireClient.connected(port, { clientId: options.name }), options);
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  get sent(): number {
    return this.#sent;
  }

  start(): void {
    this.#sending = true;
    const { everyMs = 0 } = this.#options;
    if (everyMs > 0) this.#timer = setInterval(() => this.#fill(1), everyMs);
    else this.#fill(this.#options.window);
  }

  /** Sends nothing new. */
  pause(): void {
    this.#sending = false;
    clearInterval(this.#timer);
  }

  /** Sends nothing new; resolves when all that was sent is acknowledged. Rejects when the connection is gone before. */
  async settled(): Promise<void> {
    this.pause();
    await this.until(() => this.#underWay.size === 0);
  }

  /** Looked at after each PUBACK. Rejects when the connection is gone. */
  async until(done: () => boolean): Promise<void> {
    if (!done() && !this.dropped) await new Promise<void>((resolve) => this.#waiting.push({ done, resolve }));
    if (!done())
      throw new Error(`${this.#options.name} was dropped with ${this.underWay} readings under way`);
  }

  close(): void {
    this.pause();
    this.#client.socket.destroy();
  }

  #acknowledged(messageId: number): void {
    const reading = this.#underWay.get(messageId);
    if (reading === undefined) return;
    this.#underWay.delete(messageId);
    this.acknowledged.add(reading.id);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - reading.sentMs);
    if ((this.#options.everyMs ?? 0) === 0) this.#fill(1);
    this.#tell();
  }

  #fill(count: number): void {
    for (let i = 0; i < count && this.#sending && this.#underWay.size < this.#options.window; i++) {
      const { name, ballast = 0 } = this.#options;
      this.#sent++;
      const id = `${name}-${this.#sent}${ballast > 0 ? `-${randomBytes(ballast / 2).toString("hex")}` : ""}`;
      const messageId = (this.#sent % MESSAGE_IDS) + 1;
      this.#underWay.set(messageId, { id, sentMs: performance.now() });
      const reading = {
        id,
        data: (this.#sent % 2000) / 1000 - 1,
        type: "Power Factor",
        date: new Date().toISOString(),
      };
      this.#client.publish("windfarm/T07/power-factor", JSON.stringify(reading), messageId);
    }
  }

  #tell(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.done() && !this.dropped) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}
