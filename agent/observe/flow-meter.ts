/** Watches the counters between two looks, so that the sentence can say how fast and since when. */

import { RateWindow } from "./rates.ts";
import type { Flow } from "./sentence.ts";

const WINDOW_MS = 60_000;

/** Take the first sample when the agent starts: what comes after it is what has arrived. */
export class FlowMeter {
  readonly #rates = new RateWindow(WINDOW_MS);
  #received: number | undefined;
  #lastReceivedMs: number | undefined;

  /** Takes the accounts as they are at `nowMs` (ms since 1970) and tells how they have been moving. */
  sample(nowMs: number, accounts: { received: number; shipped: number }): Flow {
    const { received, shipped } = accounts;
    this.#rates.push(nowMs, { received, shipped });
    // What was received before this process started is no news.
    if (this.#received !== undefined && received > this.#received) this.#lastReceivedMs = nowMs;
    this.#received = received;
    return {
      receivedPerSecond: this.#rates.perSecond("received") ?? 0,
      shippedPerSecond: this.#rates.perSecond("shipped") ?? 0,
      ...(this.#lastReceivedMs === undefined ? {} : { lastReceivedMs: this.#lastReceivedMs }),
    };
  }
}
