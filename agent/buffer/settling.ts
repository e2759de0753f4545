/** When settled groups are deleted: with readings that are committed anyway, for a commit of their own costs the flash more. */

import { Alarm } from "./alarm.ts";
import type { Leases } from "./leases.ts";
import type { Timers } from "./timers.ts";

/** They go with the first commit after this time, ms; without one after `WITHIN_MS`; at once when there are `AT_ONCE`. */
const RIDE_AFTER_MS = 1000;
const WITHIN_MS = 2000;
const AT_ONCE = 256;

export class Settling {
  readonly #leases: Leases;
  readonly #now: () => number;
  readonly #alarm: Alarm;
  #sinceMs = 0;

  constructor(deps: { timers: Timers; now(): number }, leases: Leases, run: () => void) {
    this.#leases = leases;
    this.#now = deps.now;
    this.#alarm = new Alarm(deps, run);
  }

  /** A group was settled; `isUrgent` where readings wait for its room. */
  added(isUrgent: boolean): void {
    if (this.#leases.settled.length === 1) this.#sinceMs = this.#now();
    this.remind(isUrgent);
  }

  /** Sees to it that what is settled is deleted, if there is anything. */
  remind(isUrgent: boolean): void {
    const count = this.#leases.settled.length;
    if (count > 0) this.#alarm.set(isUrgent || count >= AT_ONCE ? 0 : WITHIN_MS);
  }

  /** True where the oldest settlement has waited long enough to go with the next readings. */
  get isDue(): boolean {
    const waitedMs = this.#now() - this.#sinceMs;
    return this.#leases.settled.length > 0 && !(waitedMs >= 0 && waitedMs < RIDE_AFTER_MS);
  }

  stop(): void {
    this.#alarm.stop();
  }
}
