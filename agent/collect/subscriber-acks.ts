/**
 * The acknowledgements of one connection, in the order the messages came [MQTT-4.6.0-2, MQTT-4.6.0-3], one write for
 * all that a commit released. They belong to their connection: once it is closed none is sent any more, and the broker
 * delivers again on the next one.
 */

const ACK_BYTES = 4;
/** First byte of PUBACK and PUBREC, by QoS. */
const FIRST_BYTE = [0, 0x40, 0x50] as const;
const COMPACT_AT = 4096;

interface Held {
  readonly qos: 0 | 1 | 2;
  readonly id: number;
  readonly bytes: number;
  stored: boolean;
}

export class AckQueue {
  readonly #write: (acks: Buffer) => void;
  readonly #released: () => void;
  #held: Held[] = [];
  #head = 0;
  #bytes = 0;
  #flushing = false;
  #closed = false;

  /** `write` gets whole packets; `released` is called after each write and when nothing had to be written. */
  constructor(write: (acks: Buffer) => void, released: () => void) {
    this.#write = write;
    this.#released = released;
  }

  /** Messages not released yet. */
  get size(): number {
    return this.#held.length - this.#head;
  }

  /** Bytes of them. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** A message came; calling what is returned says that it is on disk. */
  hold(qos: 0 | 1 | 2, id: number, bytes: number): () => void {
    const held: Held = { qos, id, bytes, stored: false };
    this.#held.push(held);
    this.#bytes += bytes;
    return () => {
      held.stored = true;
      if (this.#flushing || this.#closed) return;
      this.#flushing = true;
      // After the whole commit group has called back, so that its acknowledgements leave in one write.
      queueMicrotask(() => this.#flush());
    };
  }

  close(): void {
    this.#closed = true;
    this.#held = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#closed) return;
    let end = this.#head;
    while (this.#held[end]?.stored) end++;
    const acks = Buffer.allocUnsafe((end - this.#head) * ACK_BYTES);
    let at = 0;
    for (; this.#head < end; this.#head++) {
      const { qos, id, bytes } = this.#held[this.#head]!;
      this.#bytes -= bytes;
      if (qos === 0) continue;
      acks[at] = FIRST_BYTE[qos];
      acks[at + 1] = 2;
      acks.writeUInt16BE(id, at + 2);
      at += ACK_BYTES;
    }
    this.#compact();
    if (at > 0) this.#write(acks.subarray(0, at));
    this.#released();
  }

  #compact(): void {
    if (this.#head < COMPACT_AT && this.#head < this.#held.length) return;
    this.#held = this.#held.slice(this.#head);
    this.#head = 0;
  }
}
