/** The shapes of the rows a report is made of. Numbers are in the sensor's unit, times are UTC. */

import { z } from "zod";
import type { QueryResult } from "../lake-reader.ts";

const Count = z.union([z.bigint(), z.number()]).transform(Number);
const sensor = { turbine: z.string(), type: z.string() };

export const Known = z.object(sensor);
export const Completeness = z.object({
  ...sensor,
  readings: Count,
  hours_with_readings: Count,
  first_date: z.date(),
  last_date: z.date(),
  share: z.number(),
});
export const Hour = z.object({ ...sensor, hour_start: z.date(), readings: Count });
export const Volume = z.object({ gateway: z.string(), first_received: z.date(), last_received: z.date() });
export const Lateness = z.object({
  gateway: z.string(),
  readings: Count,
  late_5_minutes: Count,
  late_1_hour: Count,
  late_1_day: Count,
  early: Count,
});
export const Episode = z.object({
  ...sensor,
  began: z.date(),
  ended: z.date(),
  readings: Count,
  min_value: z.number(),
  max_value: z.number(),
});
export const Stuck = z.object({
  ...sensor,
  stuck_at: z.number(),
  began: z.date(),
  ended: z.date(),
  readings: Count,
});
export const Slice = z.object({
  ...sensor,
  first: z.date(),
  last: z.date(),
  mean: z.number(),
  min: z.number(),
  max: z.number(),
});
export const Pause = z.object({ ...sensor, began: z.date(), ended: z.date() });
/** Seconds without a reading that count as a gap of this sensor. */
export const Rhythm = z.object({ ...sensor, limit_s: z.number() });
export const Beginning = z.object({ turbine: z.string(), first: z.date() });
export const KnownDay = z.object({ day: z.string() });

export type Completeness = z.infer<typeof Completeness>;
export type Hour = z.infer<typeof Hour>;
export type Volume = z.infer<typeof Volume>;
export type Lateness = z.infer<typeof Lateness>;
export type Episode = z.infer<typeof Episode>;
export type Stuck = z.infer<typeof Stuck>;
export type Slice = z.infer<typeof Slice>;
export type Pause = z.infer<typeof Pause>;
export type Rhythm = z.infer<typeof Rhythm>;
export type Beginning = z.infer<typeof Beginning>;
export type Known = z.infer<typeof Known>;

/** The answer's rows by column name, each checked. */
export function rowsOf<T>({ columns, rows }: QueryResult, row: z.ZodType<T>): T[] {
  return rows.map((values) =>
    row.parse(Object.fromEntries(columns.map(({ name }, index) => [name, values[index]]))),
  );
}
