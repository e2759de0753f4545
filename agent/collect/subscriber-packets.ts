/**
 * Takes the broker's byte stream apart, MQTT 3.1.1 or 5: PUBLISH and PUBREL are for us, every other packet is passed on
 * whole. mqtt.js would give one PUBLISH at a time and wait for it; seen here, all of a chunk are in the buffer's next
 * commit.
 */

import { Fault } from "../errors.ts";
import { CONNACK, PUBLISH, PUBREL } from "./packet-types.ts";

export interface PacketHandlers {
  /** `topic` and `payload` live in the chunk. A payload beyond the limit is cut to it. `id` is 0 at QoS 0. */
  publish(topic: string, payload: Buffer, qos: 0 | 1 | 2, id: number, dup: boolean): void;
  /** The broker has seen our PUBREC (QoS 2). */
  pubrel(id: number): void;
  /** Any other packet, whole. */
  other(packet: Buffer): void;
}

const DUP = 0x08;
/** Topic, packet id and the lengths before them: what is kept of a packet beyond `maxPayloadBytes`. */
const MAX_HEAD_BYTES = 5 + 2 + 0xffff + 2;
/** Everything but PUBLISH is small; a longer packet comes from no broker. */
const MAX_CONTROL_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

export class PacketReader {
  readonly #handlers: PacketHandlers;
  readonly #maxPayloadBytes: number;
  readonly #version: 4 | 5;
  /** Of a packet that isn't all here yet: its chunks, their bytes, and the bytes it takes to go on. */
  #parts: Buffer[] = [];
  #have = 0;
  #need = 0;
  #greeted = false;
  /** Bytes still to come of a packet that was cut. */
  #skip = 0;

  constructor(handlers: PacketHandlers, maxPayloadBytes: number, version: 4 | 5) {
    this.#handlers = handlers;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#version = version;
  }

  /** Throws Fault `collect.protocol` for bytes that are no MQTT; the connection is then of no use. */
  feed(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, bytes.length);
      this.#skip -= skipped;
      bytes = bytes.subarray(skipped);
    }
    if (this.#have > 0) {
      this.#parts.push(bytes);
      this.#have += bytes.length;
      if (this.#have < this.#need) return;
      bytes = Buffer.concat(this.#parts, this.#have);
      this.#parts = [];
      this.#have = 0;
    }
    const taken = this.#packets(bytes);
    if (taken < bytes.length) {
      this.#parts.push(bytes.subarray(taken));
      this.#have = bytes.length - taken;
    }
  }

  /** Hands out every packet that is all here; the bytes they took. */
  #packets(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length) {
      this.#greet(bytes[at]! >> 4);
      const length = readLength(bytes, at + 1);
      if (length === undefined) {
        this.#need = bytes.length - at + 1;
        return at;
      }
      const body = at + 1 + length.bytes;
      const kept = this.#kept(bytes[at]! >> 4, length.value);
      if (body + kept > bytes.length) {
        this.#need = body + kept - at;
        return at;
      }
      this.#packet(bytes, at, body, body + kept);
      const end = body + length.value;
      if (end > bytes.length) {
        this.#skip = end - bytes.length;
        return bytes.length;
      }
      at = end;
    }
    return at;
  }

  /** A broker's first packet is a CONNACK [MQTT-3.2.0-1]: what begins otherwise is a web server, or TLS. */
  #greet(type: number): void {
    if (!this.#greeted && type !== CONNACK) throw broken(`it begins with a packet of type ${type}`);
    this.#greeted = true;
  }

  /** How much of a packet is waited for: all, or of an oversized PUBLISH its head and the allowed payload. */
  #kept(type: number, length: number): number {
    if (type === PUBLISH) return Math.min(length, this.#maxPayloadBytes + MAX_HEAD_BYTES);
    if (length > MAX_CONTROL_BYTES) throw broken(`a packet of type ${type} announces ${length} bytes`);
    return length;
  }

  #packet(bytes: Buffer, start: number, body: number, end: number): void {
    const type = bytes[start]! >> 4;
    if (type === PUBLISH) this.#publish(bytes, bytes[start]!, body, end);
    else if (type === PUBREL) this.#handlers.pubrel(readId(bytes, body, end));
    else this.#handlers.other(bytes.subarray(start, end));
  }

  #publish(bytes: Buffer, first: number, body: number, end: number): void {
    const qos = (first >> 1) & 3;
    if (qos === 3) throw broken("a PUBLISH has QoS 3");
    const topicEnd = body + 2 + (end - body < 2 ? 0 : bytes.readUInt16BE(body));
    let at = qos === 0 ? topicEnd : topicEnd + 2;
    if (at > end) throw broken("a PUBLISH is shorter than its topic");
    const dup = qos !== 0 && (first & DUP) !== 0;
    const id = qos === 0 ? 0 : readId(bytes, topicEnd, end);
    if (this.#version === 5) {
      const properties = readLength(bytes.subarray(0, end), at);
      if (properties === undefined) throw broken("a PUBLISH ends inside its properties");
      at += properties.bytes + properties.value;
    }
    const payload = at < end ? bytes.subarray(at, Math.min(end, at + this.#maxPayloadBytes)) : EMPTY;
    this.#handlers.publish(bytes.toString("utf8", body + 2, topicEnd), payload, qos as 0 | 1 | 2, id, dup);
  }
}

function readId(bytes: Buffer, at: number, end: number): number {
  const id = at + 2 <= end ? bytes.readUInt16BE(at) : 0;
  if (id === 0) throw broken("a packet has no packet id");
  return id;
}

/** MQTT's variable byte integer: value and length, or undefined where its bytes aren't all here. */
function readLength(bytes: Buffer, from: number): { value: number; bytes: number } | undefined {
  let value = 0;
  for (let index = 0; index < 4; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return { value, bytes: index + 1 };
  }
  throw broken("a packet's length has more than four bytes");
}

function broken(what: string): Fault {
  return new Fault("collect.protocol", `what the broker sent is no MQTT: ${what}`, {
    hint: "check that mqtt.connect names an MQTT port, and not one of websockets or TLS without mqtts://",
    retry: true,
  });
}
