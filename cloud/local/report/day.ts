/** A UTC day as people name it. */

import { EXIT, Fault } from "../../../agent/errors.ts";

export const DAY_MS = 86_400_000;

export interface Day {
  /** `YYYY-MM-DD`, as in the table's `dt`. */
  name: string;
  /** Its midnight, milliseconds since 1970. */
  startMs: number;
}

/** Throws a Fault (exit code 2) where `text` is no day of the calendar. */
export function parseDay(text: string | undefined): Day {
  if (text === undefined || text === "") throw wrong("--day is missing: which day should be reported?");
  const startMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00.000Z`) : Number.NaN;
  if (Number.isNaN(startMs) || nameOf(startMs) !== text) {
    throw wrong(`--day ${JSON.stringify(text)} is not a day of the calendar, written YYYY-MM-DD`);
  }
  return { name: text, startMs };
}

/** The day's name `days` days before or after it. */
export function dayAfter(day: Day, days: number): string {
  return nameOf(day.startMs + days * DAY_MS);
}

function nameOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function wrong(message: string): Fault {
  return new Fault("report.day", message, {
    hint: "npm run report -- --day 2026-11-22",
    exitCode: EXIT.usage,
  });
}
