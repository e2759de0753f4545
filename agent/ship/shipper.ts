/**
 * Takes groups of readings from the source, puts them into Kinesis records, and sends these until they are accepted.
 *
 *   source ─lease▶ cutter ─record▶ queue ─request▶ sink ─┬─ accepted ▶ ledger ─settle▶ source
 *                                   ▲                    │
 *                                   └── failed, the very same bytes ──┘
 *
 * Invariants:
 *  1. A group is settled as delivered only when every record carrying a part of it was accepted (ledger.ts).
 *  2. A record that was not accepted is sent again, without end; nothing is given up.
 *  3. Of a partly failed request only the failed records are sent again.
 *  4. Memory is bounded by MAX_HELD_BYTES of bodies, however much is waiting.
 *  5. One step a turn of the event loop: a lease is cut, or a request is written; the sensors are served in between.
 */

import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { Logger } from "pino";
import { type Cutter, createCutter, forEachLine } from "./cutter.ts";
import { createKeys } from "./keys.ts";
import { KinesisSink } from "./kinesis.ts";
import { Ledger, type ShipRecord } from "./ledger.ts";
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, Pace } from "./pace.ts";
import { Sender } from "./sender.ts";
import {
  KEY_LENGTH,
  LEASE_BYTES,
  MAX_HELD_BYTES,
  MAX_RECORD_BYTES,
  MAX_REQUEST_BYTES,
  type ShipSettings,
} from "./settings.ts";
import type { Sink } from "./sink.ts";
import type { LeasedGroup, ReadingSource } from "./source.ts";
import type { ShipState, ShipStats } from "./stats.ts";
import { Trickle } from "./trickle.ts";
import { Trouble } from "./trouble.ts";

export interface ShipDeps {
  log: Logger;
  /** ms since 1970. Default: the system's clock. */
  now?: () => number;
  /** A clock that never steps, ms. Default: the process's. */
  monotonicMs?: () => number;
  /** 0 ≤ r < 1; spreads the retries. */
  random?: () => number;
  env?: Readonly<Record<string, string | undefined>>;
  /** Where records go. Default: the Kinesis stream of the settings. */
  sink?: Sink;
  /** First and longest backoff, ms. */
  backoff?: { baseMs: number; capMs: number };
}

export interface Shipper {
  start(): void;
  /** Leases once more, sends what is under way, and gives the rest back to the source; never takes longer than `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
  stats(): ShipStats;
  state(): ShipState;
}

export function createShipper(settings: ShipSettings, source: ReadingSource, deps: ShipDeps): Shipper {
  return new KinesisShipper(settings, source, deps);
}

/** After the source failed to lease it is asked again, ms. */
const LEASE_AGAIN_MS = 1000;

class KinesisShipper implements Shipper {
  readonly #settings: ShipSettings;
  readonly #source: ReadingSource;
  readonly #log: Logger;
  readonly #monotonicMs: () => number;
  readonly #pace: Pace;
  readonly #trouble: Trouble;
  readonly #trickle = new Trickle();
  readonly #cutter: Cutter;
  readonly #ledger: Ledger;
  readonly #sender: Sender;

  #phase: "new" | "running" | "stopping" | "stopped" = "new";
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Since when a reading has been waiting in the cutter. */
  #waitingSinceMs = 0;
  #leaseFailed = false;
  #onDrained: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(settings: ShipSettings, source: ReadingSource, deps: ShipDeps) {
    const { log, now = Date.now, monotonicMs = () => performance.now() } = deps;
    const { random = Math.random, env = process.env } = deps;
    const backoff = deps.backoff ?? { baseMs: BACKOFF_BASE_MS, capMs: BACKOFF_CAP_MS };
    const { requestTimeoutMs, aggregation, recordBytes } = settings;

    this.#settings = settings;
    this.#source = source;
    this.#log = log;
    this.#monotonicMs = monotonicMs;

    const paceSettings = { ...backoff, requestTimeoutMs, maxRequestBytes: MAX_REQUEST_BYTES };
    this.#pace = new Pace(paceSettings, monotonicMs, random);
    this.#trouble = new Trouble({ log, now, monotonicMs });
    this.#ledger = new Ledger(source);

    this.#cutter = createCutter(aggregation, recordBytes, createKeys(randomBytes));

    this.#sender = new Sender(settings, {
      sink: deps.sink ?? new KinesisSink(settings, { log, now, monotonicMs, env }),
      pace: this.#pace,
      trouble: this.#trouble,
      log,
      now,
      monotonicMs,
      waiting: () => source.accounts().buffered,
      accepted: (record) => this.#accepted(record),
      ended: () => this.#wake(),
    });
  }

  start(): void {
    if (this.#phase !== "new") return;
    this.#phase = "running";
    this.#source.onReady(() => this.#wake());
    this.#wake();
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  stats(): ShipStats {
    const { stream, region, endpoint } = this.#settings;
    const { lastSuccessMs, count } = this.#sender;
    const lastError = this.#trouble.last;
    return {
      stream,
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...count,
      backoffSeconds: this.#phase === "stopped" ? 0 : this.#pace.waitMs / 1000,
      ...(lastSuccessMs === undefined ? {} : { lastSuccessMs }),
      ...(lastError === undefined ? {} : { lastError }),
    };
  }

  state(): ShipState {
    if (this.#phase === "stopped") return "stopped";
    if (this.#pace.failing) return "failing";
    if (!this.#pace.calm) return "throttled";
    return this.#ledger.size > 0 ? "delivering" : "idle";
  }

  async #stop(deadlineMs: number): Promise<void> {
    if (this.#phase === "running" && !this.#pace.failing) {
      this.#fill();
      this.#phase = "stopping";
      this.#flush();
      await this.#drained(deadlineMs);
    }
    this.#phase = "stopped";
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#sender.stop();
    this.#ledger.giveBack();
  }

  #wake(): void {
    if (this.#turn !== undefined || this.#phase === "stopped" || this.#phase === "new") return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      if (this.#step()) this.#wake();
      else this.#rest();
    });
  }

  /** Does one thing; false where there is nothing to do now. */
  #step(): boolean {
    const sender = this.#sender;
    if (sender.mayStart && sender.full) return sender.start();
    if (!this.#leaseMayWait() && this.#fill()) return true;
    if (!sender.mayStart) return false;
    if (this.#cutter.waiting > 0 && this.#untilDueMs() === 0) this.#flush();
    return sender.start();
  }

  /** Nothing to do: a timer wakes us, unless an answer or the source does. */
  #rest(): void {
    clearTimeout(this.#timer);
    if (this.#phase === "stopping" && (this.#sender.idle || this.#pace.failing)) this.#onDrained?.();
    const waits: number[] = [];
    if (this.#leaseFailed) waits.push(LEASE_AGAIN_MS);
    if (this.#sender.free) {
      if (this.#sender.queue.size > 0) waits.push(this.#pace.waitMs);
      else if (this.#cutter.waiting > 0) waits.push(Math.max(this.#pace.waitMs, this.#untilDueMs()));
    }
    if (waits.length > 0) this.#timer = setTimeout(() => this.#wake(), Math.ceil(Math.min(...waits)));
  }

  /** Resolves when all that was cut has been accepted, when nothing gets across, or when time is up. */
  #drained(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = setTimeout(resolve, deadlineMs);
      this.#onDrained = () => {
        clearTimeout(deadline);
        resolve();
      };
      this.#wake();
    });
  }

  #untilDueMs(): number {
    return Math.max(0, this.#waitingSinceMs + this.#settings.flushEveryMs - this.#monotonicMs());
  }

  /** Leases a little and cuts it; false where there is nothing, or enough is held already. */
  #fill(): boolean {
    const room = MAX_HELD_BYTES - this.#ledger.heldBytes;
    if (this.#phase !== "running" || room <= 0) return false;
    const groups = this.#lease(Math.min(room, LEASE_BYTES));
    const bytes = groups.reduce((sum, { body }) => sum + body.length, 0);
    this.#trickle.leased(bytes, this.#source.accounts().buffered);
    for (const group of groups) this.#cut({ ...group, body: gunzipSync(group.body) });
    return groups.length > 0;
  }

  #leaseMayWait(): boolean {
    if (this.#cutter.waiting === 0 || this.#untilDueMs() === 0) return false;
    return this.#trickle.mayWait(this.#source.accounts().buffered);
  }

  #lease(maxBytes: number): LeasedGroup[] {
    try {
      const groups = this.#source.lease(maxBytes);
      this.#leaseFailed = false;
      return groups;
    } catch (error) {
      if (!this.#leaseFailed) this.#log.warn({ err: error }, "The buffer can't be read; it is asked again.");
      this.#leaseFailed = true;
      return [];
    }
  }

  #cut(group: LeasedGroup): void {
    const progress = this.#ledger.open(group);
    const longest = longestLine(group.body, MAX_RECORD_BYTES - KEY_LENGTH);
    if (longest > MAX_RECORD_BYTES - KEY_LENGTH) {
      const detail = `a reading of ${longest} bytes is larger than a Kinesis record may be (${MAX_RECORD_BYTES})`;
      this.#log.error({ groupKey: group.groupKey, count: group.count }, `Readings set aside: ${detail}.`);
      this.#ledger.refuse(progress, detail);
      return;
    }
    let handedOut = this.#cutter.waiting === 0;
    this.#cutter.cut(progress, group.body, (record) => {
      handedOut = true;
      this.#sender.queue.push(record);
    });
    if (handedOut) this.#waitingSinceMs = this.#monotonicMs();
    this.#ledger.closeCut(progress);
  }

  #accepted(record: ShipRecord): void {
    this.#cutter.release(record);
    this.#ledger.accepted(record);
  }

  #flush(): void {
    this.#cutter.flush((record) => this.#sender.queue.push(record));
  }
}

/** Length of the longest line in `body`, looked for only where a line can be longer than `limit`. */
function longestLine(body: Buffer, limit: number): number {
  let longest = 0;
  if (body.length > limit)
    forEachLine(body, (from, to) => {
      longest = Math.max(longest, to - from);
    });
  return longest;
}
