/** An agent's status as a few lines for a terminal. */

import { countOf, formatBytes, formatCount, formatSeconds } from "../common/format.ts";
import { printable } from "../common/printable.ts";
import { spoken } from "../observe/reasons.ts";
import type { Status } from "./status-client.ts";

export function statusText(status: Status): string {
  const rows = rowsOf(status);
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value)}\n`).join("");
  return `${printable(status.sentence)}\n\n${table}`;
}

function rowsOf(status: Status): [string, string][] {
  const { gateway, site, version, buffer, collect, ship } = status;
  const uptime = formatSeconds((status.nowMs - status.startedMs) / 1000);
  const oldest = formatSeconds(status.oldestBufferedSeconds);
  const rows: [string, string][] = [
    ["gateway", `${gateway}${site === "" ? "" : ` (${site})`}, windfarm ${version}, up ${uptime}`],
    ["received", formatCount(status.received)],
    [
      "buffered",
      `${formatCount(status.buffered)}${status.buffered === 0 ? "" : `, the oldest for ${oldest}`}`,
    ],
    ["shipped", formatCount(status.shipped)],
    ["rejected", rejectedText(status)],
    ...reasonRows(status),
    ["dropped", formatCount(status.dropped)],
    [
      "from",
      `${collect.url}, ${countOf(collect.connections, "connection")}${collect.ready ? "" : ", not ready"}`,
    ],
    [
      "buffer",
      `${buffer.state.replace("_", " ")}, ${formatBytes(buffer.usedBytes)} of ${formatBytes(buffer.maxBytes)}`,
    ],
    ...wearRows(status),
    ["to", `${ship.stream} (${ship.endpoint ?? ship.region})${lastShipped(status)}`],
  ];
  if (buffer.problem !== undefined) rows.push(["problem", buffer.problem]);
  rows.push(...troubleRows(status), ...buffer.recovered.map((one): [string, string] => ["damage", one]));
  return rows;
}

/** How long the buffer lasts, and what goes over the link and to the disk, one sentence. */
function wearRows({ buffer: { lastsSeconds }, usage }: Status): [string, string][] {
  const parts: string[] = [];
  if (lastsSeconds !== undefined)
    parts.push(`the buffer lasts ${formatSeconds(lastsSeconds)} without a link`);
  if (usage !== undefined) parts.push(`${useText(usage.link)} over the link`);
  if (usage?.disk !== undefined) parts.push(`${useText(usage.disk)} written to the disk`);
  return parts.length === 0 ? [] : [["wear", parts.join("; ")]];
}

function useText({
  todayBytes,
  monthBytes,
}: {
  todayBytes: number;
  monthBytes?: number | undefined;
}): string {
  const month = monthBytes === undefined ? "" : ` (${formatBytes(monthBytes)} a month at this rate)`;
  return `${formatBytes(todayBytes)} today${month}`;
}

function rejectedText({ rejected, buffer }: Status): string {
  if (rejected === 0) return "0";
  return `${formatCount(rejected)}, ${formatCount(buffer.rejectsKept)} kept aside: windfarm rejects`;
}

/** Of those since the agent started. */
function reasonRows({ validate }: Status): [string, string][] {
  const known = Object.entries(validate.rejected).filter(([, count]) => count > 0);
  if (known.length === 0) return [];
  const reasons = known.map(([reason, count]) => `${formatCount(count)} ${spoken(reason)}`);
  return [["", `since the start: ${reasons.join(", ")}`]];
}

function lastShipped({ ship, nowMs }: Status): string {
  if (ship.lastSuccessMs === undefined) return "";
  return `, last accepted ${formatSeconds((nowMs - ship.lastSuccessMs) / 1000)} ago`;
}

/** The last error, while it may still explain why readings wait. */
function troubleRows({ ship, nowMs }: Status): [string, string][] {
  const { lastError, lastSuccessMs = 0, backoffSeconds } = ship;
  if (lastError === undefined || lastError.atMs < lastSuccessMs) return [];
  const rows: [string, string][] = [
    ["last error", `${lastError.message} (${formatSeconds((nowMs - lastError.atMs) / 1000)} ago)`],
  ];
  if (lastError.hint !== undefined) rows.push(["try", lastError.hint]);
  if (backoffSeconds > 0) rows.push(["next try", `in ${formatSeconds(Math.ceil(backoffSeconds))}`]);
  return rows;
}
