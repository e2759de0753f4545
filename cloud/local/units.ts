/** Durations and sizes with their unit, as they stand in options. */

import { parseDuration, parseSize } from "../../agent/common/units.ts";
import { usageFault } from "../command.ts";

/** Milliseconds of `2s`, `500ms`, `5m`. */
export function durationMs(text: string, option: string): number {
  return parseDuration(text) || refuse(option, text, "a duration with its unit, such as 2s or 500ms");
}

/** Bytes of `5MiB`, `64KB`. */
export function sizeBytes(text: string, option: string): number {
  return parseSize(text) || refuse(option, text, "a size with its unit, such as 5MiB or 64KB");
}

function refuse(option: string, text: string, wanted: string): never {
  throw usageFault(`${option} "${text}" is not ${wanted}`);
}
