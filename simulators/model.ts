/**
 * What drives a turbine's three sensors, from one seed:
 *
 *   wind (Ornstein–Uhlenbeck, plus gusts) ──▶ load (power curve, rotor inertia)
 *          └──▶ pitch activity (how far the wind is from what the blades are set to)
 *
 * Time is the model's own: it advances by one step at every reading, so the same seed and steps give the same values
 * whenever they are made. It is made to look right in a chart, not to design a turbine with.
 */

import { Random } from "./random.ts";

export interface TurbineState {
  /** Seconds since the step before. */
  stepSeconds: number;
  /** Model time of day, hours in [0, 24). */
  hourOfDay: number;
  /** At the hub, m/s. */
  windSpeed: number;
  /** Share of the rated power, 0 to 1. */
  load: number;
  /** How hard the blades are being turned, 0 (still) to 1. */
  pitchActivity: number;
}

const MEAN_WIND = 9;
const WIND_DEVIATION = 2.2;
const WIND_MEMORY_SECONDS = 120;
const GUST_EVERY_SECONDS = 90;
const GUST_SECONDS = 10.5;
const CUT_IN = 3;
const RATED = 12;
const CUT_OUT = 25;
const ROTOR_SECONDS = 8;
const PITCH_SECONDS = 10;
const FULL_PITCH_ERROR = 5;
const HOUR_SECONDS = 3600;

export class TurbineModel {
  readonly #random: Random;
  #step: number;
  #seconds: number;
  #wind: number;
  #load: number;
  #pitchedFor: number;
  #gust: { age: number; height: number } | undefined;

  /**
   * @param stepSeconds model time between two readings
   * @param startHour model time of day of the first reading, hours
   */
  constructor(seed: number, turbine: string, stepSeconds: number, startHour = 8) {
    this.#random = new Random(seed, turbine, "weather");
    this.#step = stepSeconds;
    this.#seconds = startHour * HOUR_SECONDS - stepSeconds;
    this.#wind = Math.max(0, MEAN_WIND + WIND_DEVIATION * this.#random.normal());
    this.#load = powerCurve(this.#wind);
    this.#pitchedFor = this.#wind;
  }

  /** From now on a step is so long, seconds. */
  pace(stepSeconds: number): void {
    this.#step = stepSeconds;
  }

  /** Goes one step on. */
  advance(): TurbineState {
    this.#seconds += this.#step;
    const windSpeed = Math.max(0, this.#steadyWind() + this.#gustNow());
    this.#load += (powerCurve(windSpeed) - this.#load) * approach(this.#step, ROTOR_SECONDS);
    this.#pitchedFor += (windSpeed - this.#pitchedFor) * approach(this.#step, PITCH_SECONDS);
    return {
      stepSeconds: this.#step,
      hourOfDay: (this.#seconds / HOUR_SECONDS) % 24,
      windSpeed,
      load: this.#load,
      pitchActivity: Math.min(1, Math.abs(windSpeed - this.#pitchedFor) / FULL_PITCH_ERROR),
    };
  }

  /** The exact solution over a step, so that no step is too long for it. */
  #steadyWind(): number {
    const kept = Math.exp(-this.#step / WIND_MEMORY_SECONDS);
    const deviation = WIND_DEVIATION * Math.sqrt(1 - kept * kept);
    this.#wind = MEAN_WIND + (this.#wind - MEAN_WIND) * kept + deviation * this.#random.normal();
    return this.#wind;
  }

  #gustNow(): number {
    const begins = this.#random.chance(1 - Math.exp(-this.#step / GUST_EVERY_SECONDS));
    const height = this.#random.between(2, 7);
    if (this.#gust === undefined) {
      if (begins) this.#gust = { age: 0, height };
      return 0;
    }
    this.#gust.age += this.#step;
    if (this.#gust.age >= GUST_SECONDS) {
      this.#gust = undefined;
      return 0;
    }
    return (this.#gust.height / 2) * (1 - Math.cos((2 * Math.PI * this.#gust.age) / GUST_SECONDS));
  }
}

/** Share of the rated power at a wind speed in m/s. */
export function powerCurve(windSpeed: number): number {
  if (windSpeed < CUT_IN || windSpeed >= CUT_OUT) return 0;
  if (windSpeed >= RATED) return 1;
  return (windSpeed ** 3 - CUT_IN ** 3) / (RATED ** 3 - CUT_IN ** 3);
}

/** The share of the way a first-order lag of `lagSeconds` goes in `stepSeconds`. */
export function approach(stepSeconds: number, lagSeconds: number): number {
  return 1 - Math.exp(-stepSeconds / lagSeconds);
}
