/** When the engine does what: everything that is due at some time, behind one next wake-up. */

import type { Ballast } from "./ballast.ts";
import type { Engine } from "./engine.ts";
import type { Parts } from "./parts.ts";
import type { State } from "./state.ts";
import { Wake } from "./timers.ts";
import type { Stored } from "./types.ts";

const FIRST_HOUSEKEEPING_MS = 25;
/** While the file can't be used, or room is short. */
const HOUSEKEEPING_LATER_MS = 1000;

export class Schedule {
  readonly #parts: Parts;
  readonly #engine: Engine;
  readonly #announce: () => void;
  readonly #ballast: Ballast;
  readonly #wake: Wake;
  #housekeepingMs = Number.POSITIVE_INFINITY;
  /** There may be something to lease for another reason than new groups. */
  #announces = false;
  /** What was there to lease when it was announced last. */
  #announced: Readonly<State>;
  #stopped = false;

  /** `announce` tells whoever ships that there may be something to lease. */
  constructor(parts: Parts, engine: Engine, ballast: Ballast, announce: () => void) {
    this.#parts = parts;
    this.#engine = engine;
    this.#announce = announce;
    this.#announced = engine.synced;
    this.#ballast = ballast;
    this.#wake = new Wake(parts.timers, () => this.#wakeUp());
    parts.condition.onState((state) => {
      if (state === "storing") this.#announces = true;
    });
  }

  start(): void {
    this.#housekeepingMs = this.#parts.timers.nowMs() + FIRST_HOUSEKEEPING_MS;
    this.plan();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake.stop();
  }

  /** A message joined the queue. */
  arrived(stored: Stored): void {
    const { pending, condition, rule, timers } = this.#parts;
    rule.arrived(stored, timers, pending.expectedBytes);
    if (pending.isGroupFull) {
      if (condition.isBlocked) pending.closeGroup();
      else this.#engine.commit(false);
      this.#engine.startSync();
      this.plan();
    } else if (!condition.isBlocked && !this.#engine.isSyncing)
      this.#wake.at(Math.max(rule.dueMs, condition.notBeforeMs));
  }

  /** Groups were settled. */
  settled(): void {
    const { leases, rule, timers } = this.#parts;
    if (leases.deletableCount === 0) return;
    if (leases.deletableCount === 1) rule.settledFirst(timers.nowMs());
    this.plan();
  }

  /** There may be something to lease that was there before. */
  lookAgain(): void {
    this.#announces = true;
    this.plan();
  }

  /** Commits and syncs what is due, and follows it up. */
  run(): void {
    if (this.#stopped) return;
    const { condition, timers } = this.#parts;
    const nowMs = timers.nowMs();
    if (condition.mustRetry) this.#retry(nowMs);
    // What came while a sync was under way shares the next one.
    else if (!this.#engine.isSyncing && nowMs >= this.#commitDueMs())
      this.#engine.commit(nowMs >= this.#settledDueMs());
    this.#engine.startSync();
    this.followUp();
  }

  /** Tells whoever ships what is new, and plans the next wake-up. */
  followUp(): void {
    this.#announceNew();
    this.plan();
  }

  /** The wake-up. */
  #wakeUp(): void {
    const { salvager, timers, file } = this.#parts;
    const nowMs = timers.nowMs();
    if (nowMs >= this.#housekeepingMs) this.#keepHouse(nowMs);
    const quota = file.store?.maxPages ?? 0;
    if (nowMs >= salvager.dueMs) salvager.run(this.#engine);
    // Quarantined files were moved away: what waits may find room now.
    if ((file.store?.maxPages ?? 0) > quota) this.#engine.commit(false);
    this.run();
  }

  /** Asks for the next wake-up. */
  plan(): void {
    if (this.#stopped) return;
    const { condition, salvager, file } = this.#parts;
    this.#wake.at(Math.min(this.#housekeepingMs, salvager.dueMs));
    if (this.#announces && file.store !== undefined) this.#wake.at(0);
    // The end of the sync that is under way is a wake-up of its own.
    if (condition.mustRetry) this.#wake.at(condition.notBeforeMs);
    else if (!this.#engine.isSyncing) this.#wake.at(this.#commitDueMs());
  }

  /** Of readings that wait, or of settled groups alone. */
  #commitDueMs(): number {
    const { pending, condition, rule } = this.#parts;
    const readingsMs = !pending.isEmpty && !condition.isBlocked ? rule.dueMs : Number.POSITIVE_INFINITY;
    return Math.max(Math.min(readingsMs, this.#settledDueMs()), condition.notBeforeMs);
  }

  #settledDueMs(): number {
    const { rule, leases, condition } = this.#parts;
    return rule.settledDueMs("alone", leases.deletableCount, condition.isShort);
  }

  #retry(nowMs: number): void {
    const { pending, condition, file } = this.#parts;
    if (nowMs < condition.notBeforeMs) return;
    this.#engine.commit(false);
    try {
      // Without a file room is of no use: opening it again is what ends the state.
      if (pending.isEmpty && file.store !== undefined) condition.lookForRoom();
    } catch (error) {
      this.#engine.failed(error, "upkeep");
    }
    if (condition.mustRetry && condition.notBeforeMs <= nowMs) condition.retryLater();
  }

  #announceNew(): void {
    const { synced } = this.#engine;
    const { lastKey, salvagedKey } = this.#announced;
    const isNew = synced.lastKey > lastKey || synced.salvagedKey > salvagedKey;
    if (this.#parts.file.store === undefined || !(isNew || this.#announces)) return;
    this.#announces = false;
    this.#announced = synced;
    this.#announce();
  }

  #keepHouse(nowMs: number): void {
    const { file, condition, log } = this.#parts;
    this.#housekeepingMs = nowMs + HOUSEKEEPING_LATER_MS;
    if (file.store === undefined) return;
    try {
      file.retakeLock();
      file.checkPlace();
      if (condition.isShort) return;
      this.#housekeepingMs = nowMs + this.#ballast.keep(log);
      condition.succeeded("upkeep");
    } catch (error) {
      this.#engine.failed(error, "upkeep");
    }
  }
}
