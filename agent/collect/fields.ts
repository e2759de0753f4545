/** The fields of a packet's body, one after the other (MQTT 3.1.1, section 1.5). */

import { isUtf8 } from "node:buffer";

/** A text must not hold NUL [MQTT-1.5.3-2]; the other control characters a broker may refuse. */
const CONTROL_CHARACTER = /\p{Cc}/u;

export class Fields {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #broken = false;

  /** The body goes from `body` to `end`. */
  constructor(bytes: Buffer, body: number, end: number) {
    this.#bytes = bytes;
    this.#at = body;
    this.#end = end;
  }

  /** Where the next field begins. */
  get at(): number {
    return this.#at;
  }

  /** True behind the last byte, and once a field was not there or not what it must be. */
  get done(): boolean {
    return this.#broken || this.#at === this.#end;
  }

  /** True if every field was there and what it must be, and nothing is behind them. */
  get intact(): boolean {
    return !this.#broken && this.#at === this.#end;
  }

  /** An unsigned number of one byte or two; 0 if it isn't there. */
  number(size: 1 | 2): number {
    const at = this.#take(size);
    return at === undefined ? 0 : this.#bytes.readUIntBE(at, size);
  }

  /** Bytes with their length before them; none if they aren't there. */
  data(): Buffer {
    const size = this.number(2);
    const at = this.#take(size) ?? this.#end;
    return this.#bytes.subarray(at, this.#at);
  }

  /** The same as text, which must be UTF-8 without control characters. */
  text(): string {
    const bytes = this.data();
    const text = bytes.toString();
    this.#broken ||= !isUtf8(bytes) || CONTROL_CHARACTER.test(text);
    return text;
  }

  /** Where the next `size` bytes are, which are then behind us. */
  #take(size: number): number | undefined {
    const at = this.#at;
    this.#broken ||= at + size > this.#end;
    if (this.#broken) return undefined;
    this.#at += size;
    return at;
  }
}
