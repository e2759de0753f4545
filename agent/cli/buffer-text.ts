/** What `windfarm buffer` and `windfarm rejects` say to people. */

import type { BufferStats, KeptReject } from "../buffer/tools/inspect.ts";
import type { Verification } from "../buffer/tools/verify.ts";
import { printable } from "../observe/printable.ts";

export function statsText(stats: BufferStats, nowMs: number): string {
  const { received, buffered, shipped, rejected, dropped } = stats.accounts;
  const behind =
    stats.oldestReceivedMs === undefined
      ? ""
      : `, the oldest for ${duration(nowMs - stats.oldestReceivedMs)}`;
  const reasons = Object.entries(stats.rejects).map(([reason, count]) => `${reason} ${count}`);
  return [
    `${buffered} ${buffered === 1 ? "reading waits" : "readings wait"}${behind}. The agent is ${stats.running ? "running" : "stopped"}.`,
    `  received  ${received} = ${buffered} buffered + ${shipped} shipped + ${rejected} rejected + ${dropped} dropped`,
    `  file      ${stats.path}: ${size(stats.fileBytes)}, ${size(stats.usedBytes)} in use, log ${size(stats.logBytes)}`,
    `  epoch     ${stats.epoch}, born ${new Date(stats.bornMs).toISOString()}, last seq ${stats.lastSeq}`,
    `  rejects   ${stats.rejectsKept} kept${reasons.length > 0 ? ` (${reasons.join(", ")})` : ""}`,
    ...stats.aside.map((file) => `  set aside ${file}`),
  ].join("\n");
}

export function verificationText({ ok, groups, readings, problems, moreProblems }: Verification): string {
  const checked = `${readings} readings in ${groups} groups checked`;
  if (ok) return `${checked}: all is well.`;
  const count = problems.length + moreProblems;
  const more = moreProblems > 0 ? [`  … and ${moreProblems} more`] : [];
  return [
    `${checked}: ${count} problem${count === 1 ? "" : "s"}.`,
    ...problems.map((each) => `  ${each}`),
    ...more,
  ].join("\n");
}

const SHOWN_PAYLOAD = 120;

export function rejectText({ received, count, reason, detail, topic, payload }: KeptReject): string {
  const text = printable(payload.toString("utf8", 0, SHOWN_PAYLOAD));
  const readings = count === 1 ? "" : ` (${count} readings)`;
  const head = `${new Date(received).toISOString()}  ${reason}${readings}  ${printable(topic)}`;
  return `${head}\n    ${printable(detail)}\n    ${text}`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value.toFixed(1)} ${units[unit]}`;
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
