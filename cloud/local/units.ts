/** Durations and sizes with their unit, as they stand in options. */

import type { Fault } from "../../agent/errors.ts";
import { usageFault } from "./command.ts";

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Milliseconds of `2s`, `500ms`, `5m`. */
export function durationMs(text: string, option: string): number {
  return inUnits(text, MS) ?? refuse(option, text, "a duration with its unit, such as 2s or 500ms");
}

/** Bytes of `5MiB`, `64KB`. */
export function sizeBytes(text: string, option: string): number {
  return inUnits(text, BYTES) ?? refuse(option, text, "a size with its unit, such as 5MiB or 64KB");
}

function inUnits(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim()) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  const value = factor === undefined ? Number.NaN : Number(number) * factor;
  return value >= 1 && Number.isFinite(value) ? Math.round(value) : undefined;
}

function refuse(option: string, text: string, wanted: string): never {
  const fault: Fault = usageFault(`${option} "${text}" is not ${wanted}`);
  throw fault;
}
