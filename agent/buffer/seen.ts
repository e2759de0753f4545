/** Which deliveries were met before, a bit each: ten million take little more than a megabyte. */

const DELIVERY = /"epoch":"([^"]*)","seq":(\d+)/;
const BLOCK_BITS = 65_536;

export class Seen {
  readonly #blocks = new Map<string, Uint8Array>();

  /** The lines of `body` that were not met before; `body` itself where that is all of them. */
  fresh(body: Buffer): Buffer {
    const lines = body.toString("utf8").split("\n");
    const fresh = lines.filter((line) => line !== "" && this.#isNew(line));
    return fresh.length === lines.length - 1 ? body : Buffer.from(fresh.map((line) => `${line}\n`).join(""));
  }

  #isNew(line: string): boolean {
    const [, epoch, digits] = DELIVERY.exec(line) ?? [];
    const seq = Number(digits);
    const block = this.#block(`${epoch} ${Math.floor(seq / BLOCK_BITS)}`);
    const bit = seq % BLOCK_BITS;
    const mask = 1 << (bit & 7);
    const byte = block[bit >>> 3] ?? 0;
    block[bit >>> 3] = byte | mask;
    return (byte & mask) === 0;
  }

  #block(name: string): Uint8Array {
    const known = this.#blocks.get(name);
    if (known !== undefined) return known;
    const block = new Uint8Array(BLOCK_BITS / 8);
    this.#blocks.set(name, block);
    return block;
  }
}
