/** Tells senders that what they sent is on the disk, and counts it. */

import type { Logger } from "pino";
import type { CommitRule } from "./commit-rule.ts";
import type { Leases } from "./leases.ts";
import type { Timers } from "./timers.ts";
import type { Outcome } from "./transaction.ts";

interface TellerParts {
  leases: Leases;
  rule: CommitRule;
  timers: Timers;
  log: Logger;
}

export class Teller {
  readonly #parts: TellerParts;
  /** Since the process started. */
  readonly totals = { commits: 0, readings: 0, ms: 0, longestMs: 0 };

  constructor(parts: TellerParts) {
    this.#parts = parts;
  }

  /** The transactions are on the disk: all are counted before the first sender is told. */
  tell(outcomes: readonly Outcome[]): void {
    const { leases, rule, timers, log } = this.#parts;
    const { totals } = this;
    for (const { settled, batch, ms } of outcomes) {
      leases.left(settled.length);
      totals.commits++;
      totals.readings += batch?.count ?? 0;
      totals.ms += ms;
      totals.longestMs = Math.max(totals.longestMs, ms);
    }
    const nowMs = timers.nowMs();
    for (const { batch } of outcomes)
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
