/** The report's HTML: one file, no script, nothing from elsewhere. */

import { chartOf } from "./chart.ts";
import { EXPECTED_DAYS, GAP_INTERVALS, GAP_SECONDS } from "./questions.ts";
import type { DayReport } from "./read-day.ts";
import { STYLE } from "./style.ts";
import { summaryOf } from "./summary.ts";
import { anomalyTables, completenessTable, gatewayTable, LEGEND } from "./tables.ts";
import { escaped, inOrder, longDay, moment, sensorOf, short } from "./words.ts";

export function pageOf(report: DayReport): string {
  const gateways = report.volumes.map(({ gateway }) => gateway).join(", ");
  const title = `${longDay(report.day.startMs)} · ${gateways}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>Wind farm · ${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="quiet">Wind farm · day report</p>
<h1>${escaped(title)}</h1>
<p class="summary">${escaped(summaryOf(report))}</p>
</header>
${section(
  "Completeness",
  completenessTable(report),
  "Readings, their share of the turbine that has most of that sensor, and the hours of the UTC day that have any.",
)}
${section(
  "Anomalies",
  anomalyTables(report),
  "Within the day: values outside the plausible range; at least 20 readings of the very same value over ten minutes; " +
    `and more than ${GAP_SECONDS / 60} minutes, and ${GAP_INTERVALS} usual intervals, without a reading of a sensor heard ` +
    `that day or in the ${EXPECTED_DAYS} days before.`,
)}
<section>
<h2>Charts</h2>
<p class="quiet">${LEGEND} Hours in UTC.</p>
${turbinesOf(report)}
</section>
${section("Gateways", gatewayTable(report), "When they took this day's readings, in UTC, and how many came late, or early by a clock that is ahead.")}
<footer class="quiet">Made ${moment(new Date(report.nowMs))} UTC from ${escaped(report.table)}.</footer>
</body>
</html>
`;
}

function section(title: string, body: string, explanation: string): string {
  return `<section>\n<h2>${title}</h2>\n<p class="quiet">${explanation}</p>\n${body}\n</section>`;
}

function turbinesOf(report: DayReport): string {
  const turbines = [...new Set(report.completeness.map(({ turbine }) => turbine))];
  return turbines
    .map((turbine) => {
      const types = inOrder(
        report.completeness.filter((row) => row.turbine === turbine).map(({ type }) => type),
      );
      const charts = types.map((type) => figure(report, turbine, type)).join("\n");
      return `<article><h3>${escaped(turbine)}</h3>\n<div class="charts">${charts}</div></article>`;
    })
    .join("\n");
}

function figure(report: DayReport, turbine: string, type: string): string {
  const same = (row: { turbine: string; type: string }) => row.turbine === turbine && row.type === type;
  const slices = report.slices.filter(same);
  if (slices.length === 0) return "";
  const limitMs = (report.rhythms.find(same)?.limit_s ?? GAP_SECONDS) * 1000;
  const least = short(Math.min(...slices.map(({ min }) => min)));
  const greatest = short(Math.max(...slices.map(({ max }) => max)));
  const unit = sensorOf(type)?.unit ?? "1";
  const caption =
    `<figcaption><strong>${escaped(type)}</strong>${unit === "1" ? "" : ` <span class="quiet">in ${escaped(unit)}</span>`}` +
    `<span class="quiet extent">${escaped(least === greatest ? least : `${least} to ${greatest}`)}</span></figcaption>`;
  const chart = chartOf({ turbine, type, startMs: report.day.startMs, slices, limitMs });
  return `<figure>${caption}${chart}</figure>`;
}
