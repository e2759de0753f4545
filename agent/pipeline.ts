/**
 * The way of a reading through the agent; read this first.
 *
 *   collect ──bytes, topic──▶ validate ──head──▶ buffer ──(fsync)──▶ stored() ──▶ PUBACK
 *                                └──rejection──▶ buffer (reject lane) ──(fsync)──▶ stored() ──▶ PUBACK
 *                                               buffer ──groups──▶ ship ──▶ Kinesis ──▶ settle
 *
 * Nothing here waits, copies or decides: what can't be understood is stored like what can, and only the buffer says
 * when something may be acknowledged.
 */

import type { ReadingBuffer } from "./buffer/types.ts";
import type { Intake, Stored } from "./collect/intake.ts";
import { MARK_DAY, MARK_DUP } from "./contract/shipped.ts";
import type { Validator } from "./validate/validator.ts";

export class Pipeline implements Intake {
  readonly #validator: Validator;
  readonly #buffer: ReadingBuffer;
  readonly #now: () => number;

  constructor(validator: Validator, buffer: ReadingBuffer, now: () => number) {
    this.#validator = validator;
    this.#buffer = buffer;
    this.#now = now;
  }

  get window(): number {
    return this.#buffer.window;
  }

  accept(topic: string, payload: Uint8Array, dup: boolean, stored: Stored): boolean {
    const verdict = this.#validator.check(topic, payload);
    if ("reason" in verdict) {
      // The reject lane keeps it beyond this call; the payload's memory is the collector's.
      const rejection = { ...verdict, topic, payload: Uint8Array.from(payload), dup };
      this.#buffer.reject(rejection, this.#now(), stored);
      return false;
    }
    const marks = (verdict.day ? MARK_DAY : 0) | (dup ? MARK_DUP : 0);
    this.#buffer.append(verdict.head, verdict.turbine, this.#now(), marks, stored);
    return true;
  }
}
