/** Everything a report says, read from the lake. */

import { resolve } from "node:path";
import type { z } from "zod";
import { Fault } from "../../../agent/errors.ts";
import { LAYOUT } from "../../layout.ts";
import { tableFiles } from "../catalog.ts";
import { queryLake } from "../lake-reader.ts";
import { DAY_MS, type Day } from "./day.ts";
import { type Gap, gapsOf } from "./gaps.ts";
import * as ask from "./questions.ts";
import * as row from "./rows.ts";

export interface DayReport {
  day: Day;
  /** The table's name with its database's. */
  table: string;
  /** When it was made. */
  nowMs: number;
  /** The end of the day, or now while it is still going on. */
  untilMs: number;
  volumes: row.Volume[];
  lateness: row.Lateness[];
  completeness: row.Completeness[];
  hours: row.Hour[];
  /** Sensors of this day and of the week before it. */
  expected: row.Known[];
  rhythms: row.Rhythm[];
  slices: row.Slice[];
  episodes: row.Episode[];
  stuck: row.Stuck[];
  gaps: Gap[];
}

/** How often a day is read anew that was replaced while it was read. */
const ATTEMPTS = 3;

/**
 * Throws a Fault (exit code 1) where there is no lake, or the day has no readings.
 * @param root the lake's folder
 * @param look is told how many questions about the day were asked
 */
export async function readDay(
  root: string,
  day: Day,
  nowMs: number,
  look: (asked: number) => void = () => {},
): Promise<DayReport> {
  const version = () => tableFiles(resolve(root))?.join();
  let before = version();
  for (let attempt = 1; ; attempt++) {
    const report = await readOnce(root, day, nowMs, look);
    const after = version();
    // All figures of a report are of one version of the table, unless it never holds still.
    if (after === before || attempt === ATTEMPTS) return report;
    before = after;
  }
}

async function readOnce(
  root: string,
  day: Day,
  nowMs: number,
  look: (asked: number) => void,
): Promise<DayReport> {
  let asked = 0;
  const rows = async <T>(sql: string, shape: z.ZodType<T>) => {
    look(++asked);
    return row.rowsOf(await queryLake(root, sql), shape);
  };
  const named = <T>(name: string, shape: z.ZodType<T>) => rows(ask.namedOnDay(name, day), shape);
  const completeness = await named("daily-completeness", row.Completeness);
  if (completeness.length === 0) throw nothingOn(day, await rows(ask.DAYS, row.KnownDay));
  const expected = await rows(ask.expectedSensors(day), row.Known);
  const beginnings = await rows(ask.beginnings(day), row.Beginning);
  const rhythms = await rows(ask.rhythms(day), row.Rhythm);
  const pauses = await rows(ask.pauses(day), row.Pause);
  const untilMs = Math.max(day.startMs, Math.min(day.startMs + DAY_MS, nowMs));
  return {
    day,
    table: `${LAYOUT.database}.${LAYOUT.table}`,
    nowMs,
    untilMs,
    volumes: await named("data-volume", row.Volume),
    lateness: await named("silent-or-late-gateways", row.Lateness),
    completeness,
    hours: await named("hourly-values", row.Hour),
    expected,
    rhythms,
    slices: await rows(ask.slices(day), row.Slice),
    episodes: await named("out-of-range-episodes", row.Episode),
    stuck: await named("stuck-sensors", row.Stuck),
    gaps: gapsOf({ startMs: day.startMs, untilMs, completeness, expected, beginnings, rhythms, pauses }),
  };
}

function nothingOn(day: Day, days: readonly { day: string }[]): Fault {
  const names = days.map(({ day }) => day);
  const [first] = names;
  const last = names.at(-1);
  const hint =
    first === undefined || last === undefined
      ? "the lake is empty as yet; npm start fills it"
      : `the lake has ${names.length === 1 ? `only ${first}` : `${names.length} days from ${first} to ${last}`}`;
  return new Fault("report.empty", `there are no readings on ${day.name}`, { hint });
}
