/** Counts by name. Beyond `maxNames`, what others would choose freely is counted together, as `others`. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #maxNames: number;

  constructor(maxNames = Number.POSITIVE_INFINITY) {
    this.#maxNames = maxNames;
  }

  add(name: string): void {
    const counted = this.#counts.has(name) || this.#counts.size < this.#maxNames ? name : "others";
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
