/**
 * Gives memory back to the system. V8 collects when it needs room and not because it has become quiet, so what a busy minute or
 * a flood of connections took would stay taken for hours: of the start alone some 20 MB.
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { writeToStream } from "mqtt-packet";

const LOOK_EVERY_MS = 1000;
/** Growth since the last collection that is worth the next; one takes 20 to 50 ms. */
export const WORTH_BYTES = 8 * 1024 * 1024;
/** So that it never costs more than a fiftieth of the time. */
export const LEAST_PAUSE_MS = 2000;
/** The start is over by then. */
export const FIRST_AFTER_MS = 1500;
/** Busy for less of the time, the program is quiet. */
export const QUIET_SHARE = 0.25;

export interface Memory {
  /** Resident, bytes. */
  rssBytes(): number;
  collect(): void;
  /** Monotonic, ms. */
  now(): number;
  /** Of the time since it was last asked, how much the program was at work, 0 to 1. */
  busyShare(): number;
}

/**
 * Collects what grew since the last collection; and, once it has become quiet, what was in use at that one and is no more.
 */
export class MemoryKeeper {
  readonly #memory: Memory;
  /** Since the last collection. */
  #leastBytes = 0;
  /** After any collection. */
  #lowestBytes = Number.POSITIVE_INFINITY;
  #collectedMs: number;
  #collected = false;
  #wasBusy = false;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#collectedMs = memory.now() - LEAST_PAUSE_MS + FIRST_AFTER_MS;
  }

  look(): void {
    const { rssBytes, collect, now, busyShare } = this.#memory;
    const bytes = rssBytes();
    const quiet = busyShare() < QUIET_SHARE;
    if (!quiet) this.#wasBusy = true;
    // Freed pages are given back a moment after the collection.
    this.#leastBytes = this.#collected ? bytes : Math.min(this.#leastBytes, bytes);
    if (this.#collected) this.#lowestBytes = Math.min(this.#lowestBytes, bytes);
    this.#collected = false;
    const over = quiet && this.#wasBusy;
    const usualBytes = over ? Math.min(this.#lowestBytes, this.#leastBytes) : this.#leastBytes;
    if (bytes - usualBytes < WORTH_BYTES || now() - this.#collectedMs < LEAST_PAUSE_MS) return;
    collect();
    this.#collected = true;
    this.#wasBusy = !quiet;
    this.#collectedMs = now();
  }
}

/** Looks after this process from now on, until it ends. */
export function keepMemoryLow(): void {
  // With the first packet it would make a Buffer of every number to 65 535 for the packets it writes: 7 MB.
  writeToStream.cacheNumbers = false;
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") return;
  let asked = performance.eventLoopUtilization();
  const keeper = new MemoryKeeper({
    rssBytes: process.memoryUsage.rss,
    collect: () => collect(),
    now: () => performance.now(),
    busyShare: () => {
      const before = asked;
      asked = performance.eventLoopUtilization();
      return performance.eventLoopUtilization(asked, before).utilization;
    },
  });
  setInterval(() => keeper.look(), LOOK_EVERY_MS).unref();
}
