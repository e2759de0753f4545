/** Completeness, gateways and anomalies as HTML tables. */

import { SLICE_MINUTES } from "./questions.ts";
import type { DayReport } from "./read-day.ts";
import type { Completeness } from "./rows.ts";
import { clock, count, duration, escaped, inOrder, measured, moment, sensorOf } from "./words.ts";

/** Rows of one kind of anomaly; the rest is counted. */
const LISTED = 200;

/** A row per turbine, a column per type: readings, share of the best turbine's, and the 24 hours. */
export function completenessTable(report: DayReport): string {
  const types = inOrder(report.expected.map(({ type }) => type));
  const turbines = [...new Set(report.expected.map(({ turbine }) => turbine))];
  const rows = turbines.map(
    (turbine) =>
      `<tr><th scope="row">${escaped(turbine)}</th>${types.map((type) => cell(report, turbine, type)).join("")}</tr>`,
  );
  return table(["Turbine", ...types], rows);
}

function cell(report: DayReport, turbine: string, type: string): string {
  const found = report.completeness.find((row) => row.turbine === turbine && row.type === type);
  if (found === undefined) {
    const known = report.expected.some((row) => row.turbine === turbine && row.type === type);
    return known ? '<td class="none">none this day</td>' : '<td class="quiet">not there</td>';
  }
  return (
    `<td><strong>${count(found.readings)}</strong> <span class="quiet">${percent(found.share)} · ` +
    `${found.hours_with_readings} of 24 h</span>${hourStrip(report, found)}</td>`
  );
}

/** 24 little fields, filled where the hour has readings. */
function hourStrip(report: DayReport, { turbine, type }: Completeness): string {
  const heard = new Set(
    report.hours
      .filter((row) => row.turbine === turbine && row.type === type)
      .map(({ hour_start }) => hour_start.getUTCHours()),
  );
  const fields = Array.from(
    { length: 24 },
    (_, hour) =>
      `<rect${heard.has(hour) ? ' class="heard"' : ""} x="${hour * 6}" width="5" height="8" rx="1"/>`,
  );
  return `<svg class="hours" viewBox="0 0 143 8" aria-hidden="true">${fields.join("")}</svg>`;
}

/** Never 100 % where a reading is missing. */
function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

export function gatewayTable(report: DayReport): string {
  const rows = report.lateness.map((late) => {
    const volume = report.volumes.find(({ gateway }) => gateway === late.gateway);
    const cells = [
      count(late.readings),
      volume === undefined ? "" : moment(volume.first_received),
      volume === undefined ? "" : moment(volume.last_received),
      count(late.late_5_minutes),
      count(late.late_1_hour),
      count(late.late_1_day),
      count(late.early),
    ];
    return `<tr><th scope="row">${escaped(late.gateway)}</th>${cells.map((text) => `<td>${text}</td>`).join("")}</tr>`;
  });
  return table(
    [
      "Gateway",
      "Readings",
      "First taken",
      "Last taken",
      "> 5 min late",
      "> 1 h late",
      "> 1 day late",
      "Early",
    ],
    rows,
  );
}

export function anomalyTables(report: DayReport): string {
  const parts = [outOfRange(report), stuck(report), gaps(report)].filter((part) => part !== "");
  return parts.length > 0 ? parts.join("") : '<p class="calm">None were found.</p>';
}

function outOfRange({ episodes, day }: DayReport): string {
  const rows = episodes.map((row) => {
    const range = sensorOf(row.type)?.plausible;
    const plausible =
      range === undefined
        ? "not known"
        : `${measured(range.min, row.type)} to ${measured(range.max, row.type)}`;
    const values = [...new Set([measured(row.min_value, row.type), measured(row.max_value, row.type)])];
    const cells = [count(row.readings), escaped(values.join(" to ")), escaped(plausible)];
    return anomaly(row.turbine, row.type, span(row.began.getTime(), row.ended.getTime(), day.startMs), cells);
  });
  return listed("Out of range", ["Readings", "Values", "Plausible"], rows);
}

function stuck({ stuck, day }: DayReport): string {
  const rows = stuck.map((row) =>
    anomaly(row.turbine, row.type, span(row.began.getTime(), row.ended.getTime(), day.startMs), [
      count(row.readings),
      escaped(measured(row.stuck_at, row.type)),
    ]),
  );
  return listed("Stuck at one value", ["Readings", "Value"], rows);
}

function gaps({ gaps, day, expected }: DayReport): string {
  const rows = gaps.map(({ turbine, types, beganMs, endedMs }) => {
    const all = expected.filter((row) => row.turbine === turbine).length;
    const sensors = types.length === all && all > 1 ? "all sensors" : inOrder(types).join(", ");
    return anomaly(turbine, sensors, span(beganMs, endedMs, day.startMs), []);
  });
  return listed("Gaps", [], rows);
}

function anomaly(turbine: string, sensors: string, when: string, cells: readonly string[]): string {
  const all = [escaped(sensors), when, ...cells].map((text) => `<td>${text}</td>`).join("");
  return `<tr><th scope="row">${escaped(turbine)}</th>${all}</tr>`;
}

function span(beganMs: number, endedMs: number, startMs: number): string {
  if (beganMs === endedMs) return clock(beganMs, startMs);
  const times = `${clock(beganMs, startMs)}–${clock(endedMs, startMs)}`;
  return `${times} <span class="quiet">${duration(endedMs - beganMs)}</span>`;
}

function listed(title: string, heads: readonly string[], rows: readonly string[]): string {
  if (rows.length === 0) return "";
  const more = rows.length - LISTED;
  const rest = more > 0 ? `<p class="quiet">and ${count(more)} more</p>` : "";
  return (
    `<h3>${title} <span class="quiet">${count(rows.length)}</span></h3>` +
    table(["Turbine", "Sensor", "UTC", ...heads], rows.slice(0, LISTED)) +
    rest
  );
}

function table(heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((text) => `<th scope="col">${escaped(text)}</th>`).join("");
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** What the charts show, in words. */
export const LEGEND =
  `The line is the mean of every ${SLICE_MINUTES} minutes, the band around it reaches from the least to the greatest value. ` +
  "The tinted ground is the plausible range; red marks are values outside it, drawn at the edge where they are far off. " +
  "The line breaks where readings are missing.";
