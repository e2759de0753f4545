/** Tries again what the disk refused: soon at first, then more and more rarely. */

import { Alarm } from "./alarm.ts";
import type { Timers } from "./timers.ts";

const FIRST_MS = 50;
const LONGEST_MS = 2000;

export class Retry {
  readonly #alarm: Alarm;
  #nextMs = FIRST_MS;

  constructor(deps: { timers: Timers; now(): number }, run: () => void) {
    this.#alarm = new Alarm(deps, run);
  }

  later(): void {
    this.#alarm.set(this.#nextMs);
    this.#nextMs = Math.min(this.#nextMs * 2, LONGEST_MS);
  }

  /** The disk takes everything again: the next trouble is tried again soon. */
  succeeded(): void {
    this.#nextMs = FIRST_MS;
  }

  stop(): void {
    this.#alarm.stop();
  }
}
