/** The last hour of the counters, for the page's charts. In memory, bounded. */

import type { Snapshot } from "./snapshot.ts";

/** ms since 1970, then readings received, shipped, rejected and dropped since the buffer was created, and buffered now. */
export type HistorySample = readonly [
  atMs: number,
  received: number,
  shipped: number,
  rejected: number,
  dropped: number,
  buffered: number,
];

export const HISTORY_EVERY_MS = 5000;
/** One hour. */
export const HISTORY_SAMPLES = 720;

export class History {
  #samples: HistorySample[] = [];

  /** Takes a sample; an older one than the last means the clock went back, and what was kept lies in its future. */
  add(snapshot: Snapshot): void {
    const { nowMs, received, shipped, rejected, dropped, buffered } = snapshot;
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs < last[0]) this.#samples = [];
    this.#samples.push([nowMs, received, shipped, rejected, dropped, buffered]);
    if (this.#samples.length > HISTORY_SAMPLES) this.#samples.shift();
  }

  /** The samples after `ms`, oldest first. */
  since(ms: number): HistorySample[] {
    return this.#samples.filter(([atMs]) => atMs > ms);
  }
}
