/** Tells senders that what they sent is on the disk, and counts it. */

import type { Logger } from "pino";
import type { CommitRule } from "./commit-rule.ts";
import type { Leases } from "./leases.ts";
import type { Timers } from "./timers.ts";
import type { Transaction } from "./unsynced.ts";

export class Teller {
  readonly #parts: { leases: Leases; rule: CommitRule; timers: Timers; log: Logger };
  /** Since the process started; seconds: of their commits, on the event loop; additions: how many added groups to lease. */
  readonly totals = { commits: 0, readings: 0, seconds: 0, longestSeconds: 0, additions: 0 };

  constructor(parts: { leases: Leases; rule: CommitRule; timers: Timers; log: Logger }) {
    this.#parts = parts;
  }

  /** The transactions are on the disk: all are counted before the first sender is told. */
  tell(transactions: readonly Transaction[]): void {
    const { leases, rule, timers, log } = this.#parts;
    const { totals } = this;
    for (const { outcome, batch, addsGroups, ms } of transactions) {
      leases.left(outcome.settled.length);
      totals.commits++;
      totals.readings += batch?.count ?? 0;
      totals.seconds += ms / 1000;
      totals.longestSeconds = Math.max(totals.longestSeconds, ms / 1000);
      if (addsGroups) totals.additions++;
    }
    const nowMs = timers.nowMs();
    for (const { batch } of transactions)
      for (const stored of batch?.stored ?? []) {
        rule.told(stored, nowMs);
        try {
          stored();
        } catch (error) {
          log.error({ err: error }, "A sender could not be told that its reading is stored.");
        }
      }
  }
}
