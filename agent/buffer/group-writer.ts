/** Puts shipped readings together in one piece of memory, byte for byte as `encodeShipped` would write them. */

import { encodeReceived, encodeTail } from "../contract/shipped.ts";

/** A group is committed at once when it holds this many readings, or this many bytes. */
export const GROUP_READINGS = 1000;
export const GROUP_BYTES = 256 * 1024;

/** Turbines whose tail is kept ready; more than a farm has, so only a hostile sender ever reaches it. */
const MAX_TAILS = 4096;
const MAX_DIGITS = 16;
const ZERO = 0x30;

export class GroupWriter {
  readonly #gateway: string;
  readonly #tails = new Map<string, Buffer>();
  epoch: string;
  #memory = Buffer.allocUnsafe(GROUP_BYTES + 64 * 1024);
  #received: Buffer = Buffer.alloc(0);
  #receivedMs = Number.NaN;
  #marks = 0;
  /** Bytes written. */
  length = 0;
  /** Readings written. */
  count = 0;
  /** When the first of them was received, ms since 1970. */
  firstReceivedMs = 0;

  constructor(gateway: string, epoch: string) {
    this.#gateway = gateway;
    this.epoch = epoch;
  }

  /** Adds one reading; `head` and `marks` as in contract/shipped.ts. Throws a RangeError for a time that is no date. */
  add(head: Uint8Array, turbine: string, receivedMs: number, marks: number, seq: number): void {
    const tail = this.#tails.get(turbine) ?? this.#newTail(turbine);
    if (receivedMs !== this.#receivedMs || marks !== this.#marks) {
      this.#received = Buffer.from(encodeReceived(receivedMs, marks));
      this.#receivedMs = receivedMs;
      this.#marks = marks;
    }
    const most = this.length + head.length + tail.length + MAX_DIGITS + this.#received.length;
    if (most > this.#memory.length) this.#grow(most);
    const memory = this.#memory;
    let at = this.length;
    memory.set(head, at);
    // The tail takes the place of its closing brace.
    at += head.length - 1;
    memory.set(tail, at);
    at = writeDigits(memory, at + tail.length, seq);
    memory.set(this.#received, at);
    this.length = at + this.#received.length;
    if (this.count++ === 0) this.firstReceivedMs = receivedMs;
  }

  /** What was written, in the writer's own memory: good until the next `add`. */
  bytes(): Buffer {
    return this.#memory.subarray(0, this.length);
  }

  /** Starts an empty group. */
  clear(): void {
    this.length = 0;
    this.count = 0;
  }

  /** Readings added from now on belong to `epoch`. */
  setEpoch(epoch: string): void {
    this.epoch = epoch;
    this.#tails.clear();
  }

  #newTail(turbine: string): Buffer {
    if (this.#tails.size >= MAX_TAILS) this.#tails.clear();
    const tail = Buffer.from(encodeTail(turbine, this.#gateway, this.epoch));
    this.#tails.set(turbine, tail);
    return tail;
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(Math.max(bytes, this.#memory.length * 2));
    this.#memory.copy(larger, 0, 0, this.length);
    this.#memory = larger;
  }
}

/** Writes a non-negative integer in decimal; the offset after it. */
function writeDigits(memory: Buffer, at: number, value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  let rest = value;
  for (let place = at + digits - 1; place >= at; place--) {
    const next = Math.floor(rest / 10);
    memory[place] = ZERO + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}
