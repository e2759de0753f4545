/** What the simulated sensors have in common. */

import type { SensorType } from "../agent/contract/sensors.ts";
import type { TurbineState } from "./model.ts";

export interface SensorSimulator {
  readonly type: SensorType;
  /** Ids are this and a number: `PP_0`, `PP_1`, … */
  readonly idPrefix: string;
  /** The value at the next step, in the sensor's unit. Called once a step, in order. */
  measure(state: TurbineState): number;
}

/** A sensor shows so many digits after the point and no more. */
export function toDigits(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
