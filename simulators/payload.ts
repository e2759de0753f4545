/** What a sensor puts on the wire: the contract's form, the original project's, and messages nobody can understand. */

import type { Reading } from "../agent/contract/reading.ts";
import { SENSOR_TYPES, type SensorType } from "../agent/contract/sensors.ts";
import type { SensorSimulator } from "./sensor.ts";

/** A reading as the lake will know it, and as it is sent. */
export interface Said {
  reading: Reading;
  payload: string;
}

/** Makes the `index`-th reading (0, 1, …) of a sensor. */
export type PayloadForm = (
  sensor: SensorSimulator,
  index: number,
  data: number,
  dateMs: number,
  turbine: string,
) => Said;

/** `{"id":"PP_4","data":0.97,"type":"Power Factor","date":"2026-11-22T12:00:00.000Z"}` */
export const contractForm: PayloadForm = (sensor, index, data, dateMs, turbine) => {
  const said = {
    id: `${sensor.idPrefix}${index}`,
    data,
    type: sensor.type,
    date: new Date(dateMs).toISOString(),
  };
  return { reading: { ...said, turbine }, payload: JSON.stringify(said) };
};

/** The original project's spellings; it knew no other sensor. */
const LEGACY_TYPES: Readonly<Partial<Record<SensorType, string>>> = {
  "Power Factor": "Power Factory",
  "Temperature Battery": "temperature",
  "Hydraulic Pressure": "Hydraulic Pressure ",
};
const DAY_MS = 86_400_000;
const LEGACY_DAYS = 30;

/**
 * The original project's producers: other spellings, a day for a date that goes one day on with every message (here
 * for 30 days, then again), and pressures that after the first one carry the temperatures' ids.
 * `reading.date` supposes a gateway whose time zone is UTC.
 */
export const legacyForm: PayloadForm = (sensor, index, data, dateMs, turbine) => {
  const borrowed = sensor.type === "Hydraulic Pressure" && index > 0;
  const id = `${borrowed ? "PT_" : sensor.idPrefix}${index}`;
  const day = new Date(dateMs + (index % LEGACY_DAYS) * DAY_MS).toISOString().slice(0, 10);
  const timestamp = day.split("-").reverse().join("/");
  return {
    reading: { id, data, type: sensor.type, date: `${day}T00:00:00.000Z`, turbine },
    payload: JSON.stringify({ id, data, type: LEGACY_TYPES[sensor.type] ?? sensor.type, timestamp }),
  };
};

/** Messages that must end in the reject lane, made from a good one. */
export const BAD_PAYLOADS: readonly ((reading: Reading) => string | Buffer)[] = [
  (reading) => JSON.stringify(reading).slice(0, -9),
  () => "",
  () => Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
  ({ data, type, date }) => JSON.stringify([data, type, date]),
  ({ id, type, date }) => `{"id":"${id}","data":NaN,"type":"${type}","date":"${date}"}`,
  ({ data, type, date }) => JSON.stringify({ data, type, date }),
  ({ id, type, date }) => JSON.stringify({ id, data: "n/a", type, date }),
  ({ id, data, type }) => JSON.stringify({ id, data, type }),
  ({ id, data, type }) => JSON.stringify({ id, data, type, date: "31/02/2026" }),
  ({ id, data, date }) => JSON.stringify({ id, data, type: "Wind Direction", date }),
  ({ id, data, type, date }) => JSON.stringify({ id, data, type: otherThan(type), date }),
];

/** A type that contradicts the topic of `type`. */
function otherThan(type: string): string {
  return SENSOR_TYPES.find((other) => other !== type) ?? "";
}
