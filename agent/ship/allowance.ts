/** A token bucket with a fixed rate: what is taken may exceed what is there, and is waited for afterwards. */

export class Allowance {
  readonly bytesPerSecond: number;
  readonly #monotonicMs: () => number;
  #debt = 0;
  #atMs: number;

  constructor(bytesPerSecond: number, monotonicMs: () => number) {
    this.bytesPerSecond = bytesPerSecond;
    this.#monotonicMs = monotonicMs;
    this.#atMs = monotonicMs();
  }

  /** Milliseconds until nothing is owed any more. */
  get waitMs(): number {
    this.#repay();
    return (this.#debt / this.bytesPerSecond) * 1000;
  }

  take(bytes: number): void {
    this.#repay();
    this.#debt += bytes;
  }

  #repay(): void {
    const nowMs = this.#monotonicMs();
    this.#debt = Math.max(0, this.#debt - (this.bytesPerSecond * (nowMs - this.#atMs)) / 1000);
    this.#atMs = nowMs;
  }
}
