/** A token bucket: what is taken may exceed what is there, and is waited for afterwards. */

export class Allowance {
  readonly #monotonicMs: () => number;
  /** Of a rate, how much may be saved up: so many seconds' worth. */
  readonly #burstSeconds: number;
  #bytesPerSecond: number;
  /** Below zero: owed. */
  #bytes = 0;
  #atMs: number;

  /** `bytesPerSecond`: Infinity for no limit; `monotonicMs`: a clock that never steps. */
  constructor(bytesPerSecond: number, burstSeconds: number, monotonicMs: () => number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#burstSeconds = burstSeconds;
    this.#monotonicMs = monotonicMs;
    this.#atMs = monotonicMs();
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  set bytesPerSecond(rate: number) {
    this.#refill();
    this.#bytesPerSecond = rate;
  }

  /** Milliseconds until nothing is owed any more. */
  get waitMs(): number {
    this.#refill();
    return this.#bytes < 0 ? (-this.#bytes / this.#bytesPerSecond) * 1000 : 0;
  }

  take(bytes: number): void {
    this.#refill();
    if (this.#bytesPerSecond < Number.POSITIVE_INFINITY) this.#bytes -= bytes;
  }

  #refill(): void {
    const nowMs = this.#monotonicMs();
    const rate = this.#bytesPerSecond;
    const refill = (rate * (nowMs - this.#atMs)) / 1000;
    this.#bytes =
      rate < Number.POSITIVE_INFINITY ? Math.min(rate * this.#burstSeconds, this.#bytes + refill) : 0;
    this.#atMs = nowMs;
  }
}
