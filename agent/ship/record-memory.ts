/**
 * The memory of records that were accepted, for the next ones. Given up with each record, its size told the garbage collector
 * to look through the whole heap ever again: a quarter of the CPU time of shipping, and 30 MB.
 */

export class RecordMemory {
  readonly #recordBytes: number;
  readonly #kept: number;
  readonly #free: ArrayBufferLike[] = [];
  readonly #out = new Set<ArrayBufferLike>();

  /** Memory for records of up to `recordBytes`; of what is given back, as much as `kept` records take stays. */
  constructor(recordBytes: number, kept: number) {
    this.#recordBytes = recordBytes;
    this.#kept = kept;
  }

  /** `recordBytes` bytes, with whatever was there before. */
  take(): Buffer {
    const memory = this.#free.pop() ?? new ArrayBuffer(this.#recordBytes);
    this.#out.add(memory);
    return Buffer.from(memory);
  }

  /** Nobody reads `data` any more. What did not come from here is left alone. */
  giveBack({ buffer }: Buffer): void {
    if (this.#out.delete(buffer) && this.#free.length < this.#kept) this.#free.push(buffer);
  }
}
