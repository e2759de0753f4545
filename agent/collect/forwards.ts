/** What those who look on are to see of one connection's publishes, once each is stored. */

export interface Forwarded {
  topic: string;
  payload: Buffer;
}

/** Publishes are stored in the order they were taken, so a number is all it takes to find one again. */
export class Forwards {
  #taken = 0;
  #stored = 0;
  #waiting: (Forwarded & { number: number })[] = [];

  /** A publish is handed over; `shown` if somebody looks on. */
  take(shown?: Forwarded): void {
    this.#taken++;
    if (shown !== undefined) this.#waiting.push({ ...shown, number: this.#taken });
  }

  /** The publish just taken could not be understood: nobody sees it. */
  forget(): void {
    if (this.#waiting.at(-1)?.number === this.#taken) this.#waiting.pop();
  }

  /** The fate of the oldest publish is known; what was to be shown of it. */
  stored(): Forwarded | undefined {
    return this.#waiting[0]?.number === ++this.#stored ? this.#waiting.shift() : undefined;
  }
}
