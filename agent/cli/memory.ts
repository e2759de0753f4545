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

export interface Memory {
  /** Resident, bytes. */
  rssBytes(): number;
  collect(): void;
  /** Monotonic, ms. */
  now(): number;
}

export class MemoryKeeper {
  readonly #memory: Memory;
  #leastBytes = 0;
  #collectedMs: number;
  #collected = false;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#collectedMs = memory.now() - LEAST_PAUSE_MS + FIRST_AFTER_MS;
  }

  look(): void {
    const { rssBytes, collect, now } = this.#memory;
    const bytes = rssBytes();
    // Freed pages are given back a moment after the collection.
    this.#leastBytes = this.#collected ? bytes : Math.min(this.#leastBytes, bytes);
    this.#collected = false;
    if (bytes - this.#leastBytes < WORTH_BYTES || now() - this.#collectedMs < LEAST_PAUSE_MS) return;
    collect();
    this.#collected = true;
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
  const keeper = new MemoryKeeper({
    rssBytes: process.memoryUsage.rss,
    collect: () => collect(),
    now: () => performance.now(),
  });
  setInterval(() => keeper.look(), LOOK_EVERY_MS).unref();
}
