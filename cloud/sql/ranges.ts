/** The sensors' plausible ranges, put into SQL where it asks for them: they stand once, in the contract. */

import { DEFAULT_SENSORS, SENSOR_TYPES } from "../../agent/contract/sensors.ts";

/** Stands within a CASE that has only its ELSE. */
const PLACE = "/* WHEN the value is outside the plausible range of its type THEN 1 */";

export function withRanges(sql: string): string {
  const outside = SENSOR_TYPES.map((type) => {
    const { min, max } = DEFAULT_SENSORS[type].plausible;
    return `WHEN type = '${type.replaceAll("'", "''")}' AND data NOT BETWEEN ${min} AND ${max} THEN 1`;
  });
  return sql.replace(PLACE, () => outside.join("\n        "));
}
