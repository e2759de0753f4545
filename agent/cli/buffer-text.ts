/** What `windfarm buffer` and `windfarm rejects` say to people. */

import type { BufferStats, KeptReject } from "../buffer/tools/inspect.ts";
import type { Verification } from "../buffer/tools/verify.ts";
import { countOf, formatBytes, formatSeconds } from "../common/format.ts";
import { printable } from "../common/printable.ts";

export function statsText(stats: BufferStats, nowMs: number): string {
  const { received, buffered, shipped, rejected, dropped } = stats.accounts;
  const behind =
    stats.oldestReceivedMs === undefined
      ? ""
      : `, the oldest for ${formatSeconds((nowMs - stats.oldestReceivedMs) / 1000)}`;
  const reasons = Object.entries(stats.rejects).map(([reason, count]) => `${reason} ${count}`);
  return [
    `${buffered} ${buffered === 1 ? "reading waits" : "readings wait"}${behind}. The agent is ${stats.running ? "running" : "stopped"}.`,
    `  received  ${received} = ${buffered} buffered + ${shipped} shipped + ${rejected} rejected + ${dropped} dropped`,
    `  file      ${stats.path}: ${formatBytes(stats.fileBytes)}, ${formatBytes(stats.usedBytes)} in use, log ${formatBytes(stats.logBytes)}`,
    `  epoch     ${stats.epoch}, created ${new Date(stats.bornMs).toISOString()}, last seq ${stats.lastSeq}`,
    `  rejects   ${stats.rejectsKept} kept${reasons.length > 0 ? ` (${reasons.join(", ")})` : ""}`,
    ...stats.aside.map((file) => `  set aside ${file}`),
  ].join("\n");
}

export function verificationText({ ok, groups, readings, problems, moreProblems }: Verification): string {
  const checked = `${readings} readings in ${groups} groups checked`;
  if (ok) return `${checked}: all is well.`;
  const count = problems.length + moreProblems;
  const more = moreProblems > 0 ? [`  … and ${moreProblems} more`] : [];
  return [`${checked}: ${countOf(count, "problem")}.`, ...problems.map((each) => `  ${each}`), ...more].join(
    "\n",
  );
}

const SHOWN_PAYLOAD = 120;

export function rejectText({ received, count, reason, detail, topic, payload }: KeptReject): string {
  const text = printable(payload.toString("utf8", 0, SHOWN_PAYLOAD));
  const readings = count === 1 ? "" : ` (${count} readings)`;
  const head = `${new Date(received).toISOString()}  ${reason}${readings}  ${printable(topic)}`;
  return `${head}\n    ${printable(detail)}\n    ${text}`;
}
