/** Temperature of the pitch system's backup battery: near 23 °C, warmer in the afternoon and under load. Unit °C. */

import { approach, type TurbineState } from "./model.ts";
import { Random } from "./random.ts";
import { type SensorSimulator, toDigits } from "./sensor.ts";

const MEAN = 22;
const DAILY_SWING = 2.5;
const WARMEST_HOUR = 15;
const HEATING_AT_FULL_LOAD = 3;
const CABINET_SECONDS = 1200;
const NOISE = 0.05;

export class TemperatureBatterySimulator implements SensorSimulator {
  readonly type = "Temperature Battery";
  readonly idPrefix = "PT_";
  readonly #random: Random;
  #heating: number | undefined;

  constructor(seed: number, turbine: string) {
    this.#random = new Random(seed, turbine, this.type);
  }

  measure(state: TurbineState): number {
    const target = HEATING_AT_FULL_LOAD * state.load;
    const before = this.#heating ?? target;
    this.#heating = before + (target - before) * approach(state.stepSeconds, CABINET_SECONDS);
    const swing = DAILY_SWING * Math.cos((2 * Math.PI * (state.hourOfDay - WARMEST_HOUR)) / 24);
    return toDigits(MEAN + swing + this.#heating + NOISE * this.#random.normal(), 2);
  }
}
