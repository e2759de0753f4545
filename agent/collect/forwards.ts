/** What those who look on are to see of one connection's publishes, once each is stored. */

import type { Copy, Watchers } from "./watchers.ts";

/** Publishes are stored in the order they were taken, so a number is all it takes to find one again. */
export class Forwards {
  readonly #watchers: Watchers;
  #taken = 0;
  #stored = 0;
  #waiting: { copy: Copy; number: number }[] = [];
  /** One could not be stored: the connection ends, and its publishes' fates no longer come in their order. */
  #ended = false;

  constructor(watchers: Watchers) {
    this.#watchers = watchers;
  }

  /** A publish is handed over. */
  take(topic: string, payload: Uint8Array): void {
    this.#taken++;
    const copy = this.#ended ? undefined : this.#watchers.copy(topic, payload);
    if (copy !== undefined) this.#waiting.push({ copy, number: this.#taken });
  }

  /** The publish just taken could not be understood: nobody sees it. */
  forget(): void {
    const last = this.#waiting.at(-1);
    if (last?.number !== this.#taken) return;
    this.#waiting.pop();
    this.#watchers.release(last.copy);
  }

  /** The fate of the oldest publish is known: it is on disk, or it could not be stored. */
  settle(onDisk: boolean): void {
    if (!onDisk) this.#end();
    const first = this.#waiting[0];
    if (first?.number !== ++this.#stored) return;
    this.#waiting.shift();
    this.#watchers.forward(first.copy);
  }

  #end(): void {
    this.#ended = true;
    for (const { copy } of this.#waiting) this.#watchers.release(copy);
    this.#waiting = [];
  }
}
