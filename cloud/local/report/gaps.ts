/** Where readings are missing: sensors that fell silent together are told of once. */

import { GAP_SECONDS } from "./questions.ts";
import type { Beginning, Completeness, Known, Pause, Rhythm } from "./rows.ts";

export interface Gap {
  turbine: string;
  types: string[];
  beganMs: number;
  endedMs: number;
}

export interface GapSources {
  startMs: number;
  untilMs: number;
  completeness: readonly Completeness[];
  expected: readonly Known[];
  beginnings: readonly Beginning[];
  rhythms: readonly Rhythm[];
  pauses: readonly Pause[];
}

type SensorGap = Omit<Gap, "types"> & { type: string };

/** Two sensors' gaps are one where they begin and end within so much of each other. */
const TOGETHER_MS = 60_000;

/** In order of turbine and time. */
export function gapsOf(sources: GapSources): Gap[] {
  const found = [...sources.expected.flatMap((sensor) => atTheEdges(sensor, sources)), ...inside(sources)];
  found.sort(
    (a, b) =>
      compare(a.turbine, b.turbine) ||
      a.beganMs - b.beganMs ||
      a.endedMs - b.endedMs ||
      compare(a.type, b.type),
  );
  const gaps: Gap[] = [];
  for (const { type, ...gap } of found) {
    const same = gaps.find((other) => together(other, gap) && !other.types.includes(type));
    if (same === undefined) gaps.push({ ...gap, types: [type] });
    else same.types.push(type);
  }
  return gaps;
}

/** Before a sensor's first reading of the day and after its last, or all day; nothing is missed before its turbine's first ever. */
function atTheEdges(sensor: Known, sources: GapSources): SensorGap[] {
  const { turbine, type } = sensor;
  const { untilMs } = sources;
  const born = sources.beginnings.find((row) => row.turbine === turbine)?.first.getTime() ?? sources.startMs;
  const startMs = Math.max(sources.startMs, born);
  const heard = sources.completeness.find((row) => row.turbine === turbine && row.type === type);
  if (heard === undefined) return [{ turbine, type, beganMs: startMs, endedMs: untilMs }];
  const rhythm = sources.rhythms.find((row) => row.turbine === turbine && row.type === type);
  const limitMs = (rhythm?.limit_s ?? GAP_SECONDS) * 1000;
  return [
    { turbine, type, beganMs: startMs, endedMs: heard.first_date.getTime() },
    { turbine, type, beganMs: heard.last_date.getTime(), endedMs: untilMs },
  ].filter(({ beganMs, endedMs }) => endedMs - beganMs > limitMs);
}

function inside({ pauses }: GapSources): SensorGap[] {
  return pauses.map(({ turbine, type, began, ended }) => ({
    turbine,
    type,
    beganMs: began.getTime(),
    endedMs: ended.getTime(),
  }));
}

function together(a: Omit<Gap, "types">, b: Omit<Gap, "types">): boolean {
  return (
    a.turbine === b.turbine &&
    Math.abs(a.beganMs - b.beganMs) < TOGETHER_MS &&
    Math.abs(a.endedMs - b.endedMs) < TOGETHER_MS
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
