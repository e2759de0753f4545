/** How a report writes texts, numbers and times. */

import { DEFAULT_SENSORS, type Sensor } from "../../../agent/contract/sensors.ts";

/** Text that stands for itself in HTML, in attributes too. */
export function escaped(text: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => names[character] ?? character);
}

/** The sensor of a type as it stands in the lake, or undefined for a type nobody knows. */
export function sensorOf(type: string): Sensor | undefined {
  return Object.values(DEFAULT_SENSORS).find((sensor) => sensor.type === type);
}

/** Known types in the contract's order, then the others by name. */
export function inOrder(types: Iterable<string>): string[] {
  const known: string[] = Object.keys(DEFAULT_SENSORS);
  const rank = (type: string) => (known.includes(type) ? known.indexOf(type) : known.length);
  return [...new Set(types)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** `76.13 bar`; four digits are what a sensor has. */
export function measured(value: number, type: string): string {
  const unit = sensorOf(type)?.unit ?? "1";
  return `${short(value)}${unit === "1" ? "" : ` ${unit}`}`;
}

export function short(value: number): string {
  const text = Math.abs(value) >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace(/^-/, "−");
}

/** `12,345`. */
export function count(value: number): string {
  return value.toLocaleString("en-GB");
}

/** `1 gap`, `2 gaps`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `14:05`, and `24:00` for the day's end. */
export function clock(ms: number, startMs: number): string {
  const minutes = Math.floor((ms - startMs) / 60_000);
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** `2026-11-22 14:05`. */
export function moment(date: Date): string {
  return date.toISOString().slice(0, 16).replace("T", " ");
}

/** `22 November 2026`. */
export function longDay(ms: number): string {
  return new Date(ms).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
}

/** `3 h 20 min`, `12 min`, `40 s`. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  const minutes = Math.round(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return `${minutes} min`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
