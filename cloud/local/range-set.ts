/** A set of whole numbers kept as ranges: what arrived of an epoch is one range, or as many as there are gaps. */

/** From the first to the last number, both included. */
export type Range = readonly [first: number, last: number];

export class RangeSet {
  #ranges: Range[] = [];

  /** Adds every number from `first` to `last`. */
  add(first: number, last: number): void {
    const from = this.#firstTouching(first);
    let to = from;
    let [low, high] = [first, last];
    while (to < this.#ranges.length && this.#ranges[to]![0] <= last + 1) {
      low = Math.min(low, this.#ranges[to]![0]);
      high = Math.max(high, this.#ranges[to]![1]);
      to++;
    }
    this.#ranges.splice(from, to - from, [low, high]);
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  /** How many numbers it holds. */
  get size(): number {
    return this.#ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  /** The largest number, 0 for none. */
  get max(): number {
    return this.#ranges.at(-1)?.[1] ?? 0;
  }

  /** The ranges from 1 to the largest number that it lacks. */
  gaps(): Range[] {
    const gaps: Range[] = [];
    let next = 1;
    for (const [first, last] of this.#ranges) {
      if (first > next) gaps.push([next, first - 1]);
      next = Math.max(next, last + 1);
    }
    return gaps;
  }

  /** The first range that ends at `value - 1` or later. */
  #firstTouching(value: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]![1] < value - 1) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
