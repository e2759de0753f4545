/** The gateway, the disk and the shipping in figures, for whoever looks closer. */

import { formatBytes, formatCount, formatLatency, formatSeconds, formatShare } from "../format.ts";
import type { RateWindow } from "../rates.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Html, type HtmlValue, html } from "./html.ts";
import { rows, together } from "./words.ts";

type Row = readonly [name: string, value: HtmlValue];

export function detailsOf(snapshot: Snapshot, rates: RateWindow): Html {
  return html`<section class="details" aria-label="Details">
${card("Gateway now", gatewayRows(snapshot, rates))}
${card("Disk since the agent started", diskRows(snapshot))}
${card("Shipping since the agent started", shippingRows(snapshot))}
</section>`;
}

function card(title: string, entries: readonly Row[]): Html {
  return html`<article><h2>${title}</h2>${rows(entries)}</article>`;
}

function gatewayRows({ health, nowMs, startedMs }: Snapshot, rates: RateWindow): Row[] {
  const cpu = rates.perSecond("cpu");
  const { temperatureCelsius: celsius } = health;
  return [
    ["Up for", together(formatSeconds((nowMs - startedMs) / 1000))],
    ["Memory of the agent", together(formatBytes(health.rssBytes))],
    ["CPU of the agent", cpu === undefined ? "…" : `${together(formatShare(cpu))} of a core`],
    ["Load of the machine", health.load1.toFixed(2)],
    ["Temperature", celsius === undefined ? undefined : together(`${celsius.toFixed(0)} °C`)],
  ];
}

function diskRows({ buffer, health }: Snapshot): Row[] {
  const { commits, committedReadings, commitSeconds, longestCommitSeconds, rejectsKept } = buffer;
  const { diskFreeBytes: free, diskTotalBytes: total } = health;
  return [
    ["Free now", free === undefined ? undefined : together(freeOf(free, total))],
    ["Commits", together(formatCount(commits))],
    ["Readings per commit", commits === 0 ? "–" : together(formatCount(committedReadings / commits))],
    ["Commit takes", commits === 0 ? "–" : `${together(formatLatency(commitSeconds / commits))} on average`],
    ["Longest commit", commits === 0 ? "–" : together(formatLatency(longestCommitSeconds))],
    ["When full", buffer.onFull === "refuse" ? "sensors keep their readings" : "the oldest are dropped"],
    ["Rejects kept now", together(formatCount(rejectsKept))],
    ["Files set aside now", asideOf(buffer.aside)],
  ];
}

/** Nothing in almost every case, and then not a row. */
function asideOf(files: Snapshot["buffer"]["aside"]): Html | undefined {
  if (files.length === 0) return undefined;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const lossy = files.filter(({ state }) => state === "incomplete").length;
  const unsaved = lossy === 0 ? "" : `, ${lossy} with readings that could not be saved`;
  return html`${together(`${formatCount(files.length)}, ${formatBytes(bytes)}${unsaved}`)}: <code>windfarm buffer stats</code>`;
}

function freeOf(free: number, total: number | undefined): string {
  return total === undefined ? formatBytes(free) : `${formatBytes(free)} of ${formatBytes(total)}`;
}

function shippingRows({ ship }: Snapshot): Row[] {
  return [
    ["Requests", together(formatCount(ship.requests))],
    ["Requests failed", together(formatCount(ship.failedRequests))],
    ["Records accepted", together(formatCount(ship.records))],
    ["Records sent again", together(formatCount(ship.failedRecords))],
    ["Readings per record", ship.records === 0 ? "–" : together(formatCount(ship.readings / ship.records))],
    ["Data accepted", together(formatBytes(ship.bytes))],
  ];
}
