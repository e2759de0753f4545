/** MQTT framing: cuts control packets out of a byte stream and never keeps more than one packet may have. */

/** Why a stream can't go on. */
export type FramingError = "packet_too_large" | "malformed";

/** Takes one whole packet; false puts the stream on hold before the next one. */
export type FrameSink = (bytes: Buffer, start: number, body: number, end: number) => boolean | FramingError;

const NOTHING = Buffer.alloc(0);
/** Pieces kept apart before they are joined: a sender of single bytes must not cost an object for each. */
const MAX_PIECES = 64;
const MAX_LENGTH_BYTES = 4;

export class FrameCutter {
  readonly #maxBytes: number;
  readonly #sink: FrameSink;
  #pieces: Buffer[] = [];
  #have = 0;
  #need = 0;
  #held = false;
  #packets = 0;

  /** `maxBytes`: the largest remaining length, MQTT 3.1.1 section 2.2.3. */
  constructor(maxBytes: number, sink: FrameSink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  /** True while part of a packet, or what follows a hold, waits here. */
  get waiting(): boolean {
    return this.#have > 0;
  }

  /** True after the sink said false, until `resume`. */
  get held(): boolean {
    return this.#held;
  }

  /** Packets cut so far. */
  get packets(): number {
    return this.#packets;
  }

  /** Feeds what the socket gave. */
  feed(chunk: Buffer): FramingError | undefined {
    if (this.#have === 0 && !this.#held) return this.#cut(chunk);
    this.#pieces.push(this.#pieces.length > 0 ? Buffer.from(chunk) : chunk);
    this.#have += chunk.length;
    if (this.#held || this.#have < this.#need) {
      if (this.#pieces.length > MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)];
      return undefined;
    }
    return this.#cut(this.#join());
  }

  /** Goes on after a hold. */
  resume(): FramingError | undefined {
    this.#held = false;
    return this.#have === 0 ? undefined : this.#cut(this.#join());
  }

  #join(): Buffer {
    const joined = this.#pieces.length === 1 ? (this.#pieces[0] ?? NOTHING) : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#have = 0;
    return joined;
  }

  #cut(bytes: Buffer): FramingError | undefined {
    let at = 0;
    while (at < bytes.length) {
      let body = at + 1;
      let length = 0;
      let more = true;
      for (let scale = 1; more; scale *= 128) {
        if (body - at > MAX_LENGTH_BYTES) return "malformed";
        if (body >= bytes.length) return this.#keep(bytes, at, body - at + 1);
        const byte = bytes[body++] ?? 0;
        length += (byte & 0x7f) * scale;
        more = byte > 0x7f;
      }
      if (length > this.#maxBytes) return "packet_too_large";
      const end = body + length;
      if (end > bytes.length) return this.#keep(bytes, at, end - at);
      const verdict = this.#sink(bytes, at, body, end);
      if (typeof verdict === "string") return verdict;
      at = end;
      this.#packets++;
      if (!verdict) {
        this.#held = true;
        return this.#keep(bytes, at, 0);
      }
    }
    return undefined;
  }

  /** Copies, so that a few bytes left over do not pin the whole chunk they came in. */
  #keep(bytes: Buffer, from: number, need: number): undefined {
    this.#need = need;
    if (from >= bytes.length) return;
    this.#pieces = [Buffer.from(bytes.subarray(from))];
    this.#have = bytes.length - from;
  }
}
