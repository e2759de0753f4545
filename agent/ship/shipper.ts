/**
 * Takes groups of readings from the source, puts them into Kinesis records, and sends these until they are accepted.
 *
 *   source ─lease▶ lanes ─record▶ queue ─request▶ sink ─┬─ accepted ▶ held ─settle▶ source
 *                                  ▲                    │
 *                                  └────── failed ──────┘
 *
 * Invariants:
 *  1. A group is in one record only, and settled as delivered once that was accepted.
 *  2. A record that was not accepted is sent again, without end; nothing is given up.
 *  3. Of a partly failed request only the failed records are sent again.
 *  4. Memory is bounded by MAX_HELD_BYTES of groups, however much is waiting; the backlog may hold half of it.
 *  5. One step a turn of the event loop: a record is made, or a request is written; the sensors are served in between.
 */

import type { Logger } from "pino";
import { HeldGroups } from "./held.ts";
import { createKeys } from "./keys.ts";
import { KinesisSink } from "./kinesis.ts";
import { Lanes, MAX_GROUP_BYTES } from "./lanes.ts";
import { Link } from "./link.ts";
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, Pace } from "./pace.ts";
import type { ShipRecord } from "./record.ts";
import { Sender } from "./sender.ts";
import { MAX_REQUEST_BYTES, type ShipSettings } from "./settings.ts";
import type { Sink } from "./sink.ts";
import type { LeasedGroup, ReadingSource } from "./source.ts";
import { StateLine } from "./state-line.ts";
import type { ShipState, ShipStats } from "./stats.ts";
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
  /** The gateway's state as a line of its own; undefined where there is none to tell. */
  stateLine?: () => string | undefined;
  /** How often it travels, ms. Default: once a minute. */
  stateEveryMs?: number;
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

/** Shorter flush intervals are no reason for smaller requests, ms. */
const LEAST_TARGET_MS = 1000;

class KinesisShipper implements Shipper {
  readonly #settings: ShipSettings;
  readonly #source: ReadingSource;
  readonly #log: Logger;
  readonly #monotonicMs: () => number;
  readonly #pace: Pace;
  readonly #trouble: Trouble;
  readonly #held: HeldGroups;
  readonly #link: Link;
  readonly #stateLine: StateLine;
  readonly #lanes: Lanes;
  readonly #sink: Sink;
  readonly #sender: Sender;

  #phase: "new" | "running" | "stopping" | "stopped" = "new";
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #leaseFailed = false;
  #newestShippedMs: number | undefined;
  #onDrained: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(settings: ShipSettings, source: ReadingSource, deps: ShipDeps) {
    const { log, now = Date.now, monotonicMs = () => performance.now() } = deps;
    const { random = Math.random, env = process.env, stateLine = () => undefined } = deps;
    const backoff = deps.backoff ?? { baseMs: BACKOFF_BASE_MS, capMs: BACKOFF_CAP_MS };
    const { requestTimeoutMs, recordBytes, flushEveryMs, maxBandwidth } = settings;

    this.#settings = settings;
    this.#source = source;
    this.#log = log;
    this.#monotonicMs = monotonicMs;

    const maxRequestBytes = Math.max(MAX_REQUEST_BYTES, recordBytes);
    const targetMs = Math.min(requestTimeoutMs / 2, Math.max(flushEveryMs, LEAST_TARGET_MS));
    this.#pace = new Pace({ ...backoff, maxRequestBytes, targetMs, maxBandwidth }, monotonicMs, random);
    this.#trouble = new Trouble({ log, now, monotonicMs, waiting: () => source.accounts().buffered });
    this.#held = new HeldGroups(source);
    this.#link = new Link(settings, env);
    this.#stateLine = new StateLine(stateLine, monotonicMs, deps.stateEveryMs);
    const newKey = createKeys();

    this.#lanes = new Lanes(settings, {
      source,
      held: this.#held,
      monotonicMs,
      newKey,
      recordBytes: () => Math.min(recordBytes, this.#pace.recordBytes),
      refuse: (group) => this.#refuse(group),
      leaseFailed: (error) => this.#sayLeaseFailed(error),
    });

    this.#sink = deps.sink ?? new KinesisSink(settings, this.#link, { log, now, monotonicMs, env });
    this.#sender = new Sender(settings, {
      sink: this.#sink,
      pace: this.#pace,
      trouble: this.#trouble,
      state: this.#stateLine,
      log,
      now,
      monotonicMs,
      random,
      newKey,
      backoff,
      accepted: (record) => this.#accepted(record),
      tooLarge: (record) => {
        this.#held.settle(record, { outcome: "again" });
        this.#lanes.announce();
      },
      ended: () => this.#wake(),
    });
  }

  start(): void {
    if (this.#phase !== "new") return;
    this.#phase = "running";
    const announced = () => {
      this.#lanes.announce();
      this.#wake();
    };
    this.#source.onReady(announced);
    announced();
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  stats(): ShipStats {
    const { stream, region, endpoint } = this.#settings;
    return {
      stream,
      region,
      endpoint,
      ...this.#sender.count,
      linkBytes: this.#link.bytes,
      backlogReadings: this.#lanes.backlog,
      backoffSeconds: this.#phase === "stopped" ? 0 : this.#pace.backoffMs / 1000,
      storedReadingBytes: this.#lanes.storedReadingBytes,
      newestShippedMs: this.#newestShippedMs,
      lastSuccessMs: this.#sender.lastSuccessMs,
      lastError: this.#trouble.last,
      identity: this.#sink.identity?.(),
    };
  }

  state(): ShipState {
    if (this.#phase === "stopped") return "stopped";
    if (this.#pace.failing) return "failing";
    if (!this.#pace.calm) return "throttled";
    return this.#held.size > 0 ? "delivering" : "idle";
  }

  async #stop(deadlineMs: number): Promise<void> {
    if (this.#phase === "running" && !this.#pace.failing) {
      this.#lanes.flushNow();
      while (this.#fillLive());
      this.#phase = "stopping";
      await this.#drained(deadlineMs);
    }
    this.#phase = "stopped";
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#sender.stop();
    this.#held.giveBack();
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
    if (this.#fillLive()) return true;
    if (sender.mayStart && sender.full) return sender.start();
    if (this.#fillOld()) return true;
    return sender.mayStart && sender.start();
  }

  /** Nothing to do: a timer wakes us, unless an answer or the source does. */
  #rest(): void {
    clearTimeout(this.#timer);
    const { queue, free, idle } = this.#sender;
    if (this.#phase === "stopping" && (idle || this.#pace.failing)) this.#onDrained?.();
    const nowMs = this.#monotonicMs();
    const waits = [this.#mayLease ? this.#lanes.dueInMs : Number.POSITIVE_INFINITY];
    if (free) {
      const next = queue.ready > 0 ? 0 : Math.min(queue.restUntilMs - nowMs, this.#stateLine.aloneInMs);
      waits.push(Math.max(this.#pace.waitMs, next));
    }
    const wait = Math.min(...waits);
    if (wait < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#wake(), Math.ceil(wait));
  }

  /** Resolves when all that was taken has been accepted, when nothing gets across, or when time is up. */
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

  /** While nothing gets across, what is held is enough to try with. */
  get #mayLease(): boolean {
    return this.#phase === "running" && !(this.#pace.failing && this.#held.size > 0);
  }

  #fillLive(): boolean {
    const record = this.#mayLease ? this.#lanes.live() : undefined;
    if (record !== undefined) this.#sender.queue.putFirst([record]);
    return record !== undefined;
  }

  #fillOld(): boolean {
    const record = this.#mayLease ? this.#lanes.old() : undefined;
    if (record !== undefined) this.#sender.queue.push(record);
    return record !== undefined;
  }

  #accepted(record: ShipRecord): void {
    this.#newestShippedMs = Math.max(record.newestMs, this.#newestShippedMs ?? 0);
    this.#held.settle(record, { outcome: "delivered" });
  }

  #refuse(group: LeasedGroup): void {
    const { groupKey, count, body } = group;
    const detail = `readings of ${body.length} bytes are larger than a Kinesis record may be (${MAX_GROUP_BYTES})`;
    this.#log.error({ groupKey, count }, `Readings set aside: ${detail}.`);
    this.#source.settle(groupKey, { outcome: "refused", detail });
  }

  #sayLeaseFailed(error: unknown): void {
    if (!this.#leaseFailed) this.#log.warn({ err: error }, "The buffer can't be read; it is asked again.");
    this.#leaseFailed = true;
  }
}
