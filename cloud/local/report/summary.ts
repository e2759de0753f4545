/** The day in one sentence. */

import type { DayReport } from "./read-day.ts";
import { counted, longDay } from "./words.ts";

export function summaryOf(report: DayReport): string {
  const turbines = new Set(report.completeness.map(({ turbine }) => turbine)).size;
  const readings = report.completeness.reduce((sum, row) => sum + row.readings, 0);
  const going = report.untilMs === report.nowMs ? " so far" : "";
  return (
    `${counted(readings, "reading")} of ${counted(turbines, "turbine")} through ` +
    `${counted(report.volumes.length, "gateway")} on ${longDay(report.day.startMs)}${going}: ${findings(report)}.`
  );
}

function findings({ episodes, stuck, gaps }: DayReport): string {
  const found = [
    ...(episodes.length > 0
      ? [counted(episodes.length, "episode out of range", "episodes out of range")]
      : []),
    ...(stuck.length > 0 ? [counted(stuck.length, "stuck sensor")] : []),
    ...(gaps.length > 0 ? [counted(gaps.length, "gap")] : []),
  ];
  if (found.length === 0) return "nothing out of range, no sensor stuck, no gap";
  return found.length === 1 ? found.join("") : `${found.slice(0, -1).join(", ")} and ${found.at(-1)}`;
}
