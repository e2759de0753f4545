/** Publishes readings with QoS 1 as fast as the broker acknowledges them, `windowSize` on the way: raw bytes, no library. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { generate } from "mqtt-packet";

export interface Flood {
  /** Acknowledged by the broker so far: readings 0 to this, exclusive. */
  readonly acknowledged: number;
  /** Resolves when all are acknowledged; rejects when the connection breaks. */
  readonly done: Promise<void>;
}

const PUBACK_BYTES = 4;

export function readingOf(index: number): string {
  return `{"id":"PP_${index}","data":0.97,"type":"Power Factor","date":"2026-11-22T12:00:00.000Z"}`;
}

/** Readings `from` to `from + count`; `onAcknowledged` after each batch of PUBACKs. */
export async function flood(port: number, from: number, count: number, windowSize = 500): Promise<Flood> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  socket.write(
    generate({ cmd: "connect", clientId: `flood-${from}-${process.pid}`, clean: true, keepalive: 0 }),
  );
  const [connack] = await once(socket, "data");
  if (connack[3] !== 0) throw new Error("mosquitto refused the flood");
  return new Publishing(socket, from, count, windowSize);
}

class Publishing implements Flood {
  readonly done: Promise<void>;
  readonly #socket: Socket;
  readonly #from: number;
  readonly #count: number;
  readonly #window: number;
  #sent = 0;
  #bytes = 0;

  constructor(socket: Socket, from: number, count: number, windowSize: number) {
    this.#socket = socket;
    this.#from = from;
    this.#count = count;
    this.#window = windowSize;
    this.done = new Promise((resolve, reject) => {
      socket.on("data", (chunk: Buffer) => {
        this.#bytes += chunk.length;
        this.#send();
        if (this.acknowledged === count) socket.end(resolve);
      });
      socket.on("error", reject);
      socket.on("close", () => reject(new Error(`the broker closed after ${this.acknowledged}`)));
    });
    this.done.catch(() => {});
    this.#send();
  }

  get acknowledged(): number {
    return Math.floor(this.#bytes / PUBACK_BYTES);
  }

  #send(): void {
    const room = this.acknowledged + this.#window - this.#sent;
    if (room < this.#window / 2 && this.#sent > 0) return;
    const packets: Buffer[] = [];
    for (let free = room; free > 0 && this.#sent < this.#count; free--, this.#sent++) {
      packets.push(publishOf(this.#from + this.#sent, (this.#sent % 60_000) + 1));
    }
    if (packets.length > 0) this.#socket.write(Buffer.concat(packets));
  }
}

function publishOf(index: number, messageId: number): Buffer {
  const topic = `windfarm/T0${index % 5}/power-factor`;
  return generate({
    cmd: "publish",
    topic,
    payload: readingOf(index),
    qos: 1,
    messageId,
    dup: false,
    retain: false,
  });
}
