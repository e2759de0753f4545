/** Faults on demand: what goes wrong with sensors in the field, asked for by name. */

import { EXIT, Fault } from "../agent/errors.ts";

/** How likely or how large each fault is; all zero means none. */
export interface FaultPlan {
  /** Probability that a reading is sent a second time. */
  duplicates: number;
  /** Probability that a message that can't be understood is sent beside a reading. */
  bad: number;
  /** Largest error of a turbine's clock, hours; each turbine has its own, between minus and plus this. */
  skewHours: number;
  /** Readings a sensor keeps back and sends at once. */
  burst: number;
  /** Probability, at each reading, that the sensor falls silent for 20 to 60 readings. */
  silence: number;
  /** Probability that a reading shows a value outside the sensor's plausible range. */
  outOfRange: number;
  /** Probability, at each reading, that the sensor shows the same value for 20 to 60 readings. */
  stuck: number;
}

export const NO_FAULTS: FaultPlan = {
  duplicates: 0,
  bad: 0,
  skewHours: 0,
  burst: 0,
  silence: 0,
  outOfRange: 0,
  stuck: 0,
};

interface FaultKind {
  key: keyof FaultPlan;
  /** What `--fault NAME` alone means. */
  usual: number;
  /** The largest value that makes sense. */
  most: number;
  /** What the number is, for --help. */
  meaning: string;
}

export const FAULTS: Readonly<Record<string, FaultKind>> = {
  duplicates: { key: "duplicates", usual: 0.1, most: 1, meaning: "probability that a reading is sent twice" },
  bad: { key: "bad", usual: 0.05, most: 1, meaning: "probability of an extra message nobody can understand" },
  skew: {
    key: "skewHours",
    usual: 2,
    most: 87_600,
    meaning: "turbines' clocks are wrong by up to this many hours",
  },
  bursts: {
    key: "burst",
    usual: 20,
    most: 10_000,
    meaning: "this many readings are kept back and sent at once",
  },
  silence: {
    key: "silence",
    usual: 0.005,
    most: 1,
    meaning: "probability that a sensor falls silent for a while",
  },
  "out-of-range": { key: "outOfRange", usual: 0.02, most: 1, meaning: "probability of an implausible value" },
  stuck: {
    key: "stuck",
    usual: 0.005,
    most: 1,
    meaning: "probability that a sensor shows one value for a while",
  },
};

/** Reads `NAME` or `NAME=NUMBER`, one each; a Fault with exit code 2 for what is neither. */
export function parseFaults(specs: readonly string[]): FaultPlan {
  const plan = { ...NO_FAULTS };
  for (const spec of specs) {
    const [name = "", ...rest] = spec.split("=");
    const kind = Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined;
    if (kind === undefined)
      throw usage(`unknown fault "${name}"`, `known are ${Object.keys(FAULTS).join(", ")}`);
    plan[kind.key] = rest.length === 0 ? kind.usual : parseNumber(name, rest.join("="), kind);
  }
  return plan;
}

/** One line each, for --help. */
export function describeFaults(): string {
  const lines = Object.entries(FAULTS).map(([name, kind]) => {
    return `  ${`${name}=${kind.usual}`.padEnd(18)} ${kind.meaning}`;
  });
  return ["Faults, with the number each has when none is given:", ...lines].join("\n");
}

function parseNumber(name: string, text: string, kind: FaultKind): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= 0 && value <= kind.most) return value;
  throw usage(`--fault ${name}=${text} is not a number from 0 to ${kind.most}`, `${name}: ${kind.meaning}`);
}

function usage(message: string, hint: string): Fault {
  return new Fault("simulate.fault", message, { hint, exitCode: EXIT.usage });
}
