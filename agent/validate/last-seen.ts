/**
 * What came last: the value of each turbine's sensors, and the messages that could not be understood. Somebody may look at it
 * once a second. A reading costs two look-ups in a map, some 40 ns of its five
 * microseconds; a refused message, a copy of its first bytes.
 */

import type { Refused } from "../contract/reading.ts";
import type { Sensor } from "../contract/sensors.ts";

/** Turbines watched. More are taken and shipped like any other; only here they are not shown. */
export const MAX_WATCHED_TURBINES = 1000;
/** Refused messages kept of each reason, and how much of each. */
export const REFUSED_PER_REASON = 3;
export const REFUSED_BYTES = 160;
const REFUSED_TOPIC_LENGTH = 160;

export interface LastValue {
  /** In the sensor's unit. */
  data: number;
  /** Readings since this process started, and those of them out of range. */
  count: number;
  outside: number;
}

export interface RefusedMessage {
  /** 1, 2, 3, …: the order they came in. */
  number: number;
  reason: Refused["reason"];
  detail: string;
  topic: string;
  /** The payload's first bytes, and how many it had. */
  payload: Uint8Array;
  bytes: number;
}

export class LastSeen {
  /** By turbine and sensor type. */
  readonly turbines = new Map<string, Map<Sensor["type"], LastValue>>();
  readonly #refused = new Map<Refused["reason"], RefusedMessage[]>();
  #refusals = 0;

  /** Oldest first. */
  get refused(): RefusedMessage[] {
    return [...this.#refused.values()].flat().sort((a, b) => a.number - b.number);
  }

  /** True if there may be turbines that are not watched. */
  get full(): boolean {
    return this.turbines.size >= MAX_WATCHED_TURBINES;
  }

  take(turbine: string, type: Sensor["type"], data: number, plausible: boolean): void {
    const sensors = this.turbines.get(turbine) ?? this.#watch(turbine);
    if (sensors === undefined) return;
    const value = sensors.get(type);
    const outside = plausible ? 0 : 1;
    if (value === undefined) {
      sensors.set(type, { data, count: 1, outside });
      return;
    }
    value.data = data;
    value.count++;
    value.outside += outside;
  }

  refuse({ reason, detail }: Refused, topic: string, payload: Uint8Array): void {
    const kept = this.#refused.get(reason) ?? [];
    this.#refused.set(reason, kept);
    if (kept.length >= REFUSED_PER_REASON) kept.shift();
    kept.push({
      number: ++this.#refusals,
      reason,
      detail,
      topic: topic.slice(0, REFUSED_TOPIC_LENGTH),
      // The payload's memory is the collector's.
      payload: Uint8Array.from(payload.subarray(0, REFUSED_BYTES)),
      bytes: payload.length,
    });
  }

  #watch(turbine: string): Map<Sensor["type"], LastValue> | undefined {
    if (this.full) return undefined;
    const sensors = new Map<Sensor["type"], LastValue>();
    this.turbines.set(turbine, sensors);
    return sensors;
  }
}
