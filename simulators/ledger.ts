/** The readings a broker has acknowledged, one JSON line each: what must be found in the lake later. */

import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import type { Reading } from "../agent/contract/reading.ts";
import { EXIT, Fault, messageOf } from "../agent/errors.ts";

/** Not fsync'd: it survives the end of this process, not a power cut. */
export class Ledger {
  readonly #stream: WriteStream;

  private constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  /** Appends to `file`, which is made where it is missing; its folder must exist. */
  static async open(file: string): Promise<Ledger> {
    const stream = createWriteStream(file, { flags: "a" });
    try {
      await once(stream, "open");
    } catch (cause) {
      throw new Fault("simulate.ledger", `the ledger ${file} can't be written: ${messageOf(cause)}`, {
        hint: "give --ledger a file in a folder that exists and may be written",
        exitCode: EXIT.usage,
        cause,
      });
    }
    return new Ledger(stream);
  }

  add(reading: Reading): void {
    this.#stream.write(`${JSON.stringify(reading)}\n`);
  }

  async close(): Promise<void> {
    this.#stream.end();
    await once(this.#stream, "close");
  }
}
