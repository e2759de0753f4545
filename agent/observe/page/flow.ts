/** The way of a reading, drawn: sensors, buffer, Kinesis, and how fast it goes between them. */

import {
  countOf,
  formatBytes,
  formatCount,
  formatRate,
  formatSeconds,
  formatShare,
} from "../../common/format.ts";
import type { RateWindow } from "../rates.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Html, html } from "./html.ts";
import { ago, together } from "./words.ts";

export function flowOf(snapshot: Snapshot, rates: RateWindow): Html {
  return html`<section class="flow" aria-label="The way of the readings">
${sensorsNode(snapshot)}
${arrow("received", rates.perSecond("received"), !snapshot.collect.ready)}
${bufferNode(snapshot)}
${arrow("shipped", rates.perSecond("shipped"), isRefused(snapshot))}
${kinesisNode(snapshot)}
</section>`;
}

function sensorsNode({ collect }: Snapshot): Html {
  const { mode, connections, url, ready } = collect;
  const count =
    mode === "listen" ? countOf(connections, "connection") : connections > 0 ? "connected" : "not connected";
  return html`<article data-trouble="${String(!ready)}">
<h2>${mode === "listen" ? "Sensors" : "Broker"}</h2>
<p class="figure">${mode === "listen" ? formatCount(connections) : count}</p>
<p>${mode === "listen" ? count.replace(/^\S+ /, "") : "to the broker"}</p>
<p class="small address">${url}</p>
${ready ? undefined : html`<p class="small alarm">not accepting readings</p>`}
</article>`;
}

function bufferNode({ buffer, buffered, oldestBufferedSeconds }: Snapshot): Html {
  const share = buffer.maxBytes > 0 ? buffer.usedBytes / buffer.maxBytes : 0;
  const words = `${formatBytes(buffer.usedBytes)} of ${formatBytes(buffer.maxBytes)}`;
  const oldest = buffered > 0 ? `oldest ${formatSeconds(oldestBufferedSeconds)}` : "empty";
  return html`<article data-trouble="${String(buffer.state !== "storing")}">
<h2>Buffer on disk</h2>
<p class="figure">${together(formatCount(buffered))}</p>
<p>${Math.round(buffered) === 1 ? "reading" : "readings"}, ${together(oldest)}</p>
${gauge(share, `Buffer used: ${words}`)}
<p class="small">${together(words)}, ${together(formatShare(share))}</p>
</article>`;
}

function kinesisNode(snapshot: Snapshot): Html {
  const { ship, shipped, nowMs } = snapshot;
  const refused = isRefused(snapshot);
  return html`<article data-trouble="${String(refused)}">
<h2>Kinesis</h2>
<p class="figure">${together(formatCount(shipped))}</p>
<p>${shipped === 1 ? "reading" : "readings"} accepted</p>
<p class="small address">${ship.stream}, ${ship.region}${ship.endpoint === undefined ? "" : html`, ${ship.endpoint}`}</p>
${refused ? html`<p class="small alarm">not taking readings</p>` : undefined}
<p class="small">${ship.lastSuccessMs === undefined ? "nothing accepted yet" : `last accepted ${ago(ship.lastSuccessMs, nowMs)}`}</p>
</article>`;
}

function isRefused({ ship, state }: Snapshot): boolean {
  const { lastError, lastSuccessMs } = ship;
  if (state === "delivering" || lastError === undefined) return false;
  return lastSuccessMs === undefined || lastError.atMs > lastSuccessMs;
}

/** The stream between two nodes: it moves while readings do. */
function arrow(what: string, perSecond: number | undefined, broken: boolean): Html {
  const moving = (perSecond ?? 0) > 0;
  return html`<div class="arrow" data-moving="${String(moving)}" data-broken="${String(broken)}">
<p><strong>${perSecond === undefined ? "…" : together(formatRate(perSecond))}</strong> <span>${what}</span></p>
<svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true"><path d="M0 6h100"/></svg><i></i>
</div>`;
}

/** A bar that is full at 1. */
function gauge(share: number, label: string): Html {
  const width = Math.min(100, Math.max(share > 0 ? 0.6 : 0, share * 100)).toFixed(2);
  const level = share >= 0.9 ? "high" : share >= 0.6 ? "middle" : "low";
  return html`<svg class="gauge" data-level="${level}" role="img" aria-label="${label}"><rect class="room" width="100%" height="100%" rx="4"/><rect class="used" width="${width}%" height="100%" rx="4"/></svg>`;
}
