/**
 * The publishes of one connection between receipt and acknowledgement, in the order received, which is the order their
 * acknowledgements must have [MQTT-4.6.0-2, MQTT-4.6.0-3]. The buffer answers in the order of the calls, so no entry
 * needs a closure of its own.
 */

const PUBACK = 0x40;
const PUBREC = 0x50;
const ACK_BYTES = 4;
const NONE = new Uint32Array(0);

export class Acknowledgements {
  #ids = NONE;
  #sizes = NONE;
  readonly #mask: number;
  readonly #maxBytes: number;
  #taken = 0;
  #stored = 0;
  #flushed = 0;
  #bytes = 0;

  /** `capacity`: publishes between receipt and storage at most, a power of two; `maxBytes`: their payloads together. */
  constructor(capacity: number, maxBytes: number) {
    this.#mask = capacity - 1;
    this.#maxBytes = maxBytes;
  }

  /** Publishes received and not yet stored. */
  get open(): number {
    return this.#taken - this.#stored;
  }

  /** No further publish may be taken now. */
  get full(): boolean {
    return this.#taken - this.#flushed > this.#mask || this.#bytes >= this.#maxBytes;
  }

  take(qos: number, messageId: number, size: number): void {
    // Only now: a socket that never publishes shall cost nothing.
    if (this.#ids === NONE) this.#allocate();
    const slot = this.#taken++ & this.#mask;
    this.#ids[slot] = (qos << 16) | messageId;
    this.#sizes[slot] = size;
    this.#bytes += size;
  }

  #allocate(): void {
    this.#ids = new Uint32Array(this.#mask + 1);
    this.#sizes = new Uint32Array(this.#mask + 1);
  }

  /** The oldest open publish is on disk. */
  stored(): void {
    this.#bytes -= this.#sizes[this.#stored++ & this.#mask] ?? 0;
  }

  /** The packets for all that were stored since the last call, in one piece; empty where none needs one. */
  flush(): Buffer {
    const out = Buffer.allocUnsafe((this.#stored - this.#flushed) * ACK_BYTES);
    let end = 0;
    for (; this.#flushed < this.#stored; this.#flushed++) {
      const entry = this.#ids[this.#flushed & this.#mask] ?? 0;
      const qos = entry >>> 16;
      if (qos === 0) continue;
      out[end] = qos === 1 ? PUBACK : PUBREC;
      out[end + 1] = 2;
      out[end + 2] = (entry >>> 8) & 0xff;
      out[end + 3] = entry & 0xff;
      end += ACK_BYTES;
    }
    return out.subarray(0, end);
  }
}
