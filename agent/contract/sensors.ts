/**
 * The sensors of a turbine, and how the names found in the field lead to them. A new one is named here and played in
 * simulators/sensors.ts; configuration, SQL, page and report follow.
 */

/** The canonical names, as they stand in `type` on the wire and in the lake. */
export const SENSOR_TYPES = ["Power Factor", "Temperature Battery", "Hydraulic Pressure"] as const;
export type SensorType = (typeof SENSOR_TYPES)[number];

export interface Sensor {
  type: SensorType;
  /** The last level of the sensor's topic. */
  slug: string;
  /** Unit of `data`; `1` for a plain ratio. */
  unit: string;
  /** The value seen in normal operation, in `unit`. */
  nominal: number;
  /** Values outside are kept, shipped and counted; in `unit`, both ends included. */
  plausible: { min: number; max: number };
  /** Spellings seen in the wild, compared as `foldName` does. */
  aliases: readonly string[];
}

export const DEFAULT_SENSORS: Readonly<Record<SensorType, Sensor>> = {
  "Power Factor": {
    type: "Power Factor",
    slug: "power-factor",
    unit: "1",
    nominal: 1,
    plausible: { min: -1, max: 1 },
    aliases: ["Power Factory", "powerfactor"],
  },
  "Temperature Battery": {
    type: "Temperature Battery",
    slug: "temperature-battery",
    unit: "°C",
    nominal: 23,
    plausible: { min: -40, max: 85 },
    aliases: ["temperature", "Battery Temperature"],
  },
  "Hydraulic Pressure": {
    type: "Hydraulic Pressure",
    slug: "hydraulic-pressure",
    unit: "bar",
    nominal: 76,
    plausible: { min: 0, max: 400 },
    aliases: ["hydraulicpressure"],
  },
};

/** Longest name a sensor is looked for by, in UTF-16 units. */
const MAX_NAME_LENGTH = 256;

/** Two names are the same sensor's when they fold to the same text: no case, no blanks, no punctuation. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

/** Finds a sensor by any of its spellings. */
export class SensorCatalog {
  readonly sensors: readonly Sensor[];
  readonly #byName = new Map<string, Sensor>();

  /** Throws a RangeError where one spelling names two sensors. */
  constructor(sensors: readonly Sensor[] = Object.values(DEFAULT_SENSORS)) {
    this.sensors = sensors;
    for (const sensor of sensors) {
      for (const name of [sensor.type, sensor.slug, ...sensor.aliases]) this.#add(name, sensor);
    }
  }

  /** The sensor that `name` (a `type`, an alias, or the last level of a topic) means, or undefined. */
  find(name: string): Sensor | undefined {
    return name.length > MAX_NAME_LENGTH ? undefined : this.#byName.get(foldName(name));
  }

  #add(name: string, sensor: Sensor): void {
    const folded = foldName(name);
    const other = this.#byName.get(folded);
    if (other !== undefined && other !== sensor) {
      throw new RangeError(`"${name}" would mean both ${other.type} and ${sensor.type}`);
    }
    this.#byName.set(folded, sensor);
  }
}
