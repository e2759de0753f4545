import type { Intake, Stored } from "../../agent/collect/intake.ts";

export interface Taken {
  topic: string;
  payload: string;
  dup: boolean;
  stored: Stored;
}

/** An intake in the test's hands: it shows what was handed over, and the test says when a message is on disk. */
export class HeldIntake implements Intake {
  readonly taken: Taken[] = [];
  window = Number.POSITIVE_INFINITY;
  /** Stores at once instead of waiting for the test. */
  storesAtOnce: boolean;
  /** What it answers: whether messages are understood. */
  understands = true;
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  constructor(storesAtOnce = false) {
    this.storesAtOnce = storesAtOnce;
  }

  accept(topic: string, payload: Uint8Array, dup: boolean, stored: Stored): boolean {
    this.taken.push({ topic, payload: Buffer.from(payload).toString(), dup, stored });
    if (this.storesAtOnce) stored();
    for (const { count, resolve } of this.#waiting) if (this.taken.length >= count) resolve();
    return this.understands;
  }

  /** Resolves when `count` messages have been handed over in all. */
  async until(count: number): Promise<void> {
    if (this.taken.length < count)
      await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }
}
