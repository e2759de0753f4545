/** Durations and sizes with their unit, as they stand in options. */

import { parseDuration, parseSize } from "../../agent/common/units.ts";
import type { Fault } from "../../agent/errors.ts";
import { usageFault } from "./command.ts";

/** Milliseconds of `2s`, `500ms`, `5m`. */
export function durationMs(text: string, option: string): number {
  return (
    atLeastOne(parseDuration(text)) ?? refuse(option, text, "a duration with its unit, such as 2s or 500ms")
  );
}

/** Bytes of `5MiB`, `64KB`. */
export function sizeBytes(text: string, option: string): number {
  return atLeastOne(parseSize(text)) ?? refuse(option, text, "a size with its unit, such as 5MiB or 64KB");
}

function atLeastOne(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function refuse(option: string, text: string, wanted: string): never {
  const fault: Fault = usageFault(`${option} "${text}" is not ${wanted}`);
  throw fault;
}
