/** Power factor at the generator's terminals: close to 1, lower when the turbine carries little load. Unit 1. */

import type { TurbineState } from "./model.ts";
import { Random } from "./random.ts";
import { type SensorSimulator, toDigits } from "./sensor.ts";

const LOSS_AT_FULL_LOAD = 0.006;
const LOSS_WITHOUT_LOAD = 0.1;
const NOISE = 0.003;

export class PowerFactorSimulator implements SensorSimulator {
  readonly type = "Power Factor";
  readonly idPrefix = "PP_";
  readonly #random: Random;

  constructor(seed: number, turbine: string) {
    this.#random = new Random(seed, turbine, this.type);
  }

  /** Between 0 and 1: reactive power takes from it what magnetising the generator needs, whatever it delivers. */
  measure(state: TurbineState): number {
    const loss = LOSS_AT_FULL_LOAD + LOSS_WITHOUT_LOAD * (1 - state.load) ** 4;
    const noise = NOISE * Math.abs(this.#random.normal());
    return toDigits(Math.min(1, Math.max(0, 1 - loss - noise)), 4);
  }
}
