/** Rates from counters that were read now and then. */

interface Sample {
  atMs: number;
  values: Readonly<Record<string, number>>;
}

/** Most samples kept, whatever the window. */
const MAX_SAMPLES = 240;

/**
 * The mean rate of some counters over the last `windowMs`. A counter that falls, or a clock that goes back, means
 * a new start: what was known is forgotten.
 */
export class RateWindow {
  readonly #windowMs: number;
  #samples: Sample[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Takes the counters as they are at `atMs`, ms since 1970. */
  push(atMs: number, values: Readonly<Record<string, number>>): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs === last.atMs) return;
    if (last !== undefined && (atMs < last.atMs || fell(last.values, values))) this.#samples = [];
    const before = this.#samples.at(-2);
    // Looks may come at any pace; samples closer than this tell nothing new.
    if (
      last !== undefined &&
      before !== undefined &&
      last.atMs - before.atMs < this.#windowMs / MAX_SAMPLES
    ) {
      this.#samples.pop();
    }
    this.#samples.push({ atMs, values });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) <= atMs - this.#windowMs) {
      this.#samples.shift();
    }
  }

  /** Per second, or undefined until two samples are known. A counter that appeared meanwhile began at 0. */
  perSecond(counter: string): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || first === last) return undefined;
    const gained = (last.values[counter] ?? 0) - (first.values[counter] ?? 0);
    return (gained * 1000) / (last.atMs - first.atMs);
  }
}

function fell(before: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): boolean {
  return Object.entries(before).some(([name, value]) => (now[name] ?? value) < value);
}
