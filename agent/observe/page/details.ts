/** The gateway, the disk and the shipping in figures, for whoever looks closer. */

import {
  countOf,
  formatBytes,
  formatCount,
  formatLatency,
  formatSeconds,
  formatShare,
} from "../../common/format.ts";
import type { RateWindow } from "../rates.ts";
import type { Snapshot, Use } from "../snapshot.ts";
import { type Html, type HtmlValue, html } from "./html.ts";
import { ago, rows, together } from "./words.ts";

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
  const { temperatureCelsius: celsius, throttled, clockSynchronised, certificates = [] } = health;
  const { memoryFreeBytes: free, memoryTotalBytes: total } = health;
  return [
    ["Up for", together(formatSeconds((nowMs - startedMs) / 1000))],
    ["Memory of the agent", together(formatBytes(health.rssBytes))],
    ["CPU of the agent", cpu === undefined ? "…" : `${together(formatShare(cpu))} of a core`],
    ["Load of the machine", health.load1.toFixed(2)],
    ["Memory free", free === undefined ? undefined : together(freeOf(free, total))],
    ["Temperature", celsius === undefined ? undefined : together(`${celsius.toFixed(0)} °C`)],
    ["Processor", throttled === undefined ? undefined : notableIf(throttled.length > 0, heldBack(throttled))],
    [
      "Clock",
      clockSynchronised === undefined
        ? undefined
        : notableIf(!clockSynchronised, clockWords(clockSynchronised)),
    ],
    ...certificates.map(({ use, endsMs }): Row => [`Certificate for ${use}`, endOf(endsMs, nowMs)]),
  ];
}

function heldBack(reasons: readonly string[]): string {
  return reasons.length === 0 ? "at full speed" : reasons.join(", ");
}

function clockWords(synchronised: boolean): string {
  return synchronised ? "synchronised" : "not synchronised";
}

/** What ends within so long needs somebody. */
const SOON_MS = 30 * 24 * 3_600_000;

function endOf(endsMs: number, nowMs: number): HtmlValue {
  const left = endsMs - nowMs;
  const words = left <= 0 ? `ended ${ago(endsMs, nowMs)}` : `ends in ${together(formatSeconds(left / 1000))}`;
  return notableIf(left < SOON_MS, words);
}

function notableIf(notable: boolean, words: string): HtmlValue {
  return notable ? html`<span class="outside">${words}</span>` : words;
}

/** "1.2 MiB, 40 MiB a month". */
function usedOf({ todayBytes, monthBytes }: Use): string {
  const month = monthBytes === undefined ? "" : `, ${formatBytes(monthBytes)} a month at this rate`;
  return together(`${formatBytes(todayBytes)}${month}`);
}

function diskRows({ buffer, health, usage }: Snapshot): Row[] {
  const { commits, committedReadings, commitSeconds, longestCommitSeconds, rejectsKept, lastsSeconds } =
    buffer;
  const { diskFreeBytes: free, diskTotalBytes: total } = health;
  return [
    ["Free now", free === undefined ? undefined : together(freeOf(free, total))],
    [
      "Buffer lasts",
      lastsSeconds === undefined ? undefined : `${together(formatSeconds(lastsSeconds))} without a link`,
    ],
    ["Written today", usage?.disk === undefined ? undefined : usedOf(usage.disk)],
    ["Commits", together(formatCount(commits))],
    ["Readings per commit", commits === 0 ? "–" : together(formatCount(committedReadings / commits))],
    ["Commit takes", commits === 0 ? "–" : `${together(formatLatency(commitSeconds / commits))} on average`],
    ["Longest commit", commits === 0 ? "–" : together(formatLatency(longestCommitSeconds))],
    ["When full", buffer.onFull === "refuse" ? "sensors keep their readings" : "the oldest are dropped"],
    ["Rejects kept now", together(formatCount(rejectsKept))],
    ["Set aside now", asideOf(buffer.aside)],
  ];
}

/** Nothing in almost every case, and then not a row. */
function asideOf(files: Snapshot["buffer"]["aside"]): Html | undefined {
  if (files.length === 0) return undefined;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const lossy = files.filter(({ state }) => state === "incomplete").length;
  const unsaved = lossy === 0 ? "" : `, ${lossy} with readings that could not be saved`;
  return html`${together(`${countOf(files.length, "file")}, ${formatBytes(bytes)}${unsaved}`)}: <code>windfarm buffer stats</code>`;
}

function freeOf(free: number, total: number | undefined): string {
  return total === undefined ? formatBytes(free) : `${formatBytes(free)} of ${formatBytes(total)}`;
}

/** They are renewed by themselves: only ones that have ended are worth a look. */
function credentialsWords(secondsLeft: number | undefined): HtmlValue {
  if (secondsLeft === undefined) return undefined;
  if (secondsLeft === 0) return notableIf(true, "expired");
  return `hold for ${together(formatSeconds(secondsLeft))}, then renewed`;
}

function shippingRows({ ship, usage, nowMs }: Snapshot): Row[] {
  const { newestShippedMs, backlogReadings, identity } = ship;
  return [
    ["Dashboards are current up to", newestShippedMs === undefined ? undefined : ago(newestShippedMs, nowMs)],
    ["Behind the live readings", backlogReadings ? together(countOf(backlogReadings, "reading")) : undefined],
    ["Over the link today", usage === undefined ? undefined : usedOf(usage.link)],
    ["Known to AWS as", identity?.described],
    ["Credentials", credentialsWords(identity?.secondsLeft)],
    ["Requests", together(formatCount(ship.requests))],
    ["Requests failed", together(formatCount(ship.failedRequests))],
    ["Records accepted", together(formatCount(ship.records))],
    ["Records sent again", together(formatCount(ship.failedRecords))],
    ["Readings per record", ship.records === 0 ? "–" : together(formatCount(ship.readings / ship.records))],
    ["Data accepted", together(formatBytes(ship.bytes))],
  ];
}
