/** One simulated turbine: its weather, its sensors, and what goes wrong with them. */

import type { Reading } from "../agent/contract/reading.ts";
import { DEFAULT_SENSORS, SENSOR_TYPES } from "../agent/contract/sensors.ts";
import type { FaultPlan } from "./faults.ts";
import { TurbineModel } from "./model.ts";
import { BAD_PAYLOADS, type PayloadForm } from "./payload.ts";
import { Random } from "./random.ts";
import type { SensorSimulator } from "./sensor.ts";
import { SIMULATORS } from "./sensors.ts";

export interface Message {
  topic: string;
  payload: string | Buffer;
  /** `duplicate` repeats the reading just sent; `bad` carries none. */
  kind: "reading" | "duplicate" | "bad";
  reading?: Reading;
}

export interface TurbineSettings {
  name: string;
  seed: number;
  /** Model time between two readings of a sensor, seconds. */
  stepSeconds: number;
  /** Model time of day of the first reading, hours. */
  startHour: number;
  /** First level of the topic. */
  topicPrefix: string;
  form: PayloadForm;
  faults: FaultPlan;
}

/** How often each fault was played. */
export type FaultCounts = Record<"duplicates" | "bad" | "silenced" | "outOfRange" | "stuck", number>;

const HOUR_MS = 3_600_000;
const SHORTEST_SPELL = 20;
const LONGEST_SPELL = 60;

/** A sensor, and the spells of silence and sameness it is under. */
interface Probe {
  sensor: SensorSimulator;
  slug: string;
  random: Random;
  silentFor: number;
  stuckFor: number;
  /** What it showed last. */
  shown: number | undefined;
  keptBack: Message[];
}

export class Turbine {
  readonly name: string;
  readonly counts: FaultCounts = { duplicates: 0, bad: 0, silenced: 0, outOfRange: 0, stuck: 0 };
  readonly #settings: TurbineSettings;
  readonly #model: TurbineModel;
  readonly #probes: readonly Probe[];
  readonly #skewMs: number;
  #index = 0;

  constructor(settings: TurbineSettings) {
    const { name, seed, faults } = settings;
    this.name = name;
    this.#settings = settings;
    this.#model = new TurbineModel(seed, name, settings.stepSeconds, settings.startHour);
    this.#skewMs = Math.round(new Random(seed, name, "clock").between(-1, 1) * faults.skewHours * HOUR_MS);
    this.#probes = SENSOR_TYPES.map((type) => ({
      sensor: SIMULATORS[type](seed, name),
      slug: DEFAULT_SENSORS[type].slug,
      random: new Random(seed, name, type, "faults"),
      silentFor: 0,
      stuckFor: 0,
      shown: undefined,
      keptBack: [],
    }));
  }

  /** The next reading of each sensor, dated `dateMs` (ms since 1970) by a clock without fault. */
  tick(dateMs: number): Message[] {
    const state = this.#model.advance();
    const index = this.#index++;
    const messages: Message[] = [];
    for (const probe of this.#probes) {
      const value = this.#shown(probe, probe.sensor.measure(state));
      if (this.#isSilent(probe)) continue;
      const { form } = this.#settings;
      const { reading, payload } = form(probe.sensor, index, value, dateMs + this.#skewMs, this.name);
      const topic = `${this.#settings.topicPrefix}/${this.name}/${probe.slug}`;
      this.#send(probe, { topic, payload, kind: "reading", reading }, messages);
    }
    return messages;
  }

  /** From now on so much model time passes between two readings, seconds. */
  pace(stepSeconds: number): void {
    this.#model.pace(stepSeconds);
  }

  /** What the sensors still keep back for their next burst. */
  release(): Message[] {
    return this.#probes.flatMap((probe) => probe.keptBack.splice(0));
  }

  #shown(probe: Probe, measured: number): number {
    const { faults } = this.#settings;
    if (probe.stuckFor === 0 && probe.random.chance(faults.stuck)) probe.stuckFor = spell(probe.random);
    if (probe.stuckFor > 0 && probe.shown !== undefined) {
      probe.stuckFor--;
      this.counts.stuck++;
      return probe.shown;
    }
    probe.shown = measured;
    if (!probe.random.chance(faults.outOfRange)) return measured;
    this.counts.outOfRange++;
    const { min, max } = DEFAULT_SENSORS[probe.sensor.type].plausible;
    return max + Math.ceil((max - min) * probe.random.between(0.1, 1));
  }

  #isSilent(probe: Probe): boolean {
    if (probe.silentFor === 0 && probe.random.chance(this.#settings.faults.silence)) {
      probe.silentFor = spell(probe.random);
    }
    if (probe.silentFor === 0) return false;
    probe.silentFor--;
    this.counts.silenced++;
    return true;
  }

  #send(probe: Probe, message: Message & { reading: Reading }, messages: Message[]): void {
    const { faults } = this.#settings;
    const out = faults.burst > 1 ? probe.keptBack : messages;
    out.push(message);
    if (probe.random.chance(faults.duplicates)) {
      this.counts.duplicates++;
      out.push({ ...message, kind: "duplicate" });
    }
    if (probe.random.chance(faults.bad)) {
      this.counts.bad++;
      const payload = probe.random.pick(BAD_PAYLOADS)(message.reading);
      out.push({ topic: message.topic, payload, kind: "bad" });
    }
    if (faults.burst > 1 && out.length >= faults.burst) messages.push(...out.splice(0));
  }
}

function spell(random: Random): number {
  return Math.floor(random.between(SHORTEST_SPELL, LONGEST_SPELL + 1));
}
