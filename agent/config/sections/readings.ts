/** `readings`: what the sensors are, and how producers spell them. */

import * as z from "zod";
import { DEFAULT_SENSORS, SENSOR_TYPES, type Sensor, type SensorType } from "../../contract/sensors.ts";
import { decimal, section, text } from "../fields.ts";

export function readingsSection() {
  return section({
    types: section(Object.fromEntries(SENSOR_TYPES.map((type) => [type, sensorSection(type)] as const)))
      .prefault({})
      .describe("The sensors by their canonical names."),
  })
    .transform(({ types }) => ({ sensors: Object.values(types) }))
    .describe("Which readings belong to which sensor.");
}

function sensorSection(type: SensorType) {
  const sensor = DEFAULT_SENSORS[type];
  return section({
    unit: text().prefault(sensor.unit).describe("Unit of the values; 1 for a plain ratio."),
    nominal: decimal().prefault(String(sensor.nominal)).describe("The value of normal operation."),
    plausible: section({
      min: decimal().prefault(String(sensor.plausible.min)).describe("Lowest plausible value."),
      max: decimal().prefault(String(sensor.plausible.max)).describe("Highest plausible value."),
    })
      .prefault({})
      .describe("Values outside are kept and shipped all the same, and counted."),
    aliases: z
      .array(text())
      .prefault([...sensor.aliases])
      .describe("Spellings of the type that mean this sensor; case, blanks and punctuation never matter."),
  })
    .transform((given): Sensor => ({ ...given, type, slug: sensor.slug }))
    .prefault({})
    .describe(`The sensor "${type}".`);
}
