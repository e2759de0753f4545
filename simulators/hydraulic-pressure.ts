/**
 * Pressure of the hydraulic accumulator that turns the blades: about 76 bar. Leakage and every turn of the blades take
 * from it; a pump starts below one pressure and stops above another. Unit bar.
 */

import type { TurbineState } from "./model.ts";
import { Random } from "./random.ts";
import { type SensorSimulator, toDigits } from "./sensor.ts";

const PUMP_ON_BELOW = 74;
const PUMP_OFF_ABOVE = 78;
const PUMP_PER_SECOND = 0.5;
const LEAK_PER_SECOND = 0.01;
const PITCH_PER_SECOND = 0.12;
const LONGEST_STEP_SECONDS = 1;
const MOST_STEPS = 600;
const NOISE = 0.08;

export class HydraulicPressureSimulator implements SensorSimulator {
  readonly type = "Hydraulic Pressure";
  readonly idPrefix = "PPH_";
  readonly #random: Random;
  #pressure: number;
  #pumping: boolean;

  constructor(seed: number, turbine: string) {
    this.#random = new Random(seed, turbine, this.type);
    this.#pressure = this.#random.between(PUMP_ON_BELOW, PUMP_OFF_ABOVE);
    this.#pumping = this.#random.chance(0.2);
  }

  /** A step longer than the pump's cycle is gone in small ones, and a very long one only in its last ten minutes. */
  measure(state: TurbineState): number {
    const steps = Math.min(MOST_STEPS, Math.ceil(state.stepSeconds / LONGEST_STEP_SECONDS));
    const seconds = Math.min(LONGEST_STEP_SECONDS, state.stepSeconds / steps);
    for (let step = 0; step < steps; step++) this.#flow(seconds, state.pitchActivity);
    return toDigits(this.#pressure + NOISE * this.#random.normal(), 2);
  }

  #flow(seconds: number, pitchActivity: number): void {
    if (this.#pressure < PUMP_ON_BELOW) this.#pumping = true;
    if (this.#pressure > PUMP_OFF_ABOVE) this.#pumping = false;
    const pump = this.#pumping ? PUMP_PER_SECOND : 0;
    this.#pressure += (pump - LEAK_PER_SECOND - PITCH_PER_SECOND * pitchActivity) * seconds;
  }
}
