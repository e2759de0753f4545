/** Tells senders that what they sent is on the disk, and counts it. */

import type { Logger } from "pino";
import type { CommitRule } from "./commit-rule.ts";
import type { Leases } from "./leases.ts";
import type { Timers } from "./timers.ts";
import type { Transaction } from "./unsynced.ts";

/** Of the transactions on the disk, since the process started. */
export interface Totals {
  commits: number;
  readings: number;
  /** Of those commits on the event loop, and the longest one. */
  seconds: number;
  longestSeconds: number;
  /** How many added groups to lease. */
  additions: number;
}

export interface TellerParts {
  leases: Leases;
  rule: CommitRule;
  timers: Timers;
  log: Logger;
}

export class Teller {
  readonly #parts: TellerParts;
  readonly totals: Totals = { commits: 0, readings: 0, seconds: 0, longestSeconds: 0, additions: 0 };

  constructor(parts: TellerParts) {
    this.#parts = parts;
  }

  /** The transactions are on the disk: all are counted before the first sender is told. */
  tell(transactions: readonly Transaction[]): void {
    for (const { outcome, batch, addsGroups, ms } of transactions) {
      this.#parts.leases.left(outcome.settled.length);
      this.totals.commits++;
      this.totals.readings += batch?.count ?? 0;
      this.totals.seconds += ms / 1000;
      this.totals.longestSeconds = Math.max(this.totals.longestSeconds, ms / 1000);
      if (addsGroups) this.totals.additions++;
    }
    const nowMs = this.#parts.timers.nowMs();
    for (const { batch } of transactions)
      for (const stored of batch?.stored ?? []) {
        this.#parts.rule.told(stored, nowMs);
        try {
          stored();
        } catch (error) {
          this.#parts.log.error({ err: error }, "A sender could not be told that its reading is stored.");
        }
      }
  }
}
