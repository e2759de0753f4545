/** The readings a broker has acknowledged, one JSON line each: what must be found in the lake later. */

import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { Reading } from "../agent/contract/reading.ts";
import { EXIT, Fault, messageOf } from "../agent/errors.ts";

/** Not fsync'd: it survives the end of this process, not a power cut. */
export class Ledger {
  /** Resolves when it can't be written any more; `close` says why. */
  readonly broken: Promise<void>;
  readonly #stream: WriteStream;
  readonly #file: string;

  private constructor(stream: WriteStream, file: string) {
    this.#stream = stream;
    this.#file = file;
    this.broken = new Promise((resolve) => stream.once("error", () => resolve()));
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
    return new Ledger(stream, file);
  }

  add(reading: Reading): void {
    if (!this.#stream.destroyed) this.#stream.write(`${JSON.stringify(reading)}\n`);
  }

  /** Throws a Fault where not all of it could be written. */
  async close(): Promise<void> {
    const finish = finished(this.#stream);
    this.#stream.end();
    try {
      await finish;
    } catch (cause) {
      throw new Fault("simulate.ledger", `the ledger ${this.#file} is incomplete: ${messageOf(cause)}`, {
        hint: "make room on its disk (df -h), or give --ledger a file on another one",
        cause,
      });
    }
  }
}
