/** What each kind of sensor sent. */

import { formatBytes, formatCount, formatRate } from "../../common/format.ts";
import type { Live } from "../live.ts";
import type { RateWindow } from "../rates.ts";
import { spoken } from "../reasons.ts";
import type { Snapshot } from "../snapshot.ts";
import { acceptedCounter } from "./counters.ts";
import { type Html, html } from "./html.ts";
import { ago, together } from "./words.ts";

const REFUSED_SHOWN = 5;

export function sensorsOf({ validate, collect }: Snapshot, rates: RateWindow, live: Live): Html {
  const types = [...new Set([...Object.keys(validate.accepted), ...Object.keys(validate.outOfRange)])];
  return html`<section class="sensors" aria-label="Sensors">
<h2>Sensors since the agent started</h2>
${types.length === 0 ? html`<p class="small">No reading has been understood yet.</p>` : tableOf(types, validate, rates)}
${reasonsOf("Not understood", validate.rejected, html`Kept aside with their reasons: <code>windfarm rejects</code>`)}
${refusedOf(live)}
${reasonsOf("Connections closed by the agent", collect.closedConnections, undefined)}
${reasonsOf("Logins refused, by address", collect.refusedLogins, html`Names, passwords and topics: <code>windfarm user --help</code>`)}
</section>`;
}

function tableOf(types: readonly string[], validate: Snapshot["validate"], rates: RateWindow): Html {
  return html`<table>
<thead><tr><th scope="col">Type</th><th scope="col">Rate</th><th scope="col">Accepted</th><th scope="col">Out of range</th></tr></thead>
<tbody>${types.map((type) => rowOf(type, validate, rates))}</tbody>
</table>`;
}

function rowOf(type: string, { accepted, outOfRange }: Snapshot["validate"], rates: RateWindow): Html {
  const rate = rates.perSecond(acceptedCounter(type));
  const outside = outOfRange[type] ?? 0;
  return html`<tr><th scope="row">${type}</th>
<td>${rate === undefined ? "…" : together(formatRate(rate))}</td>
<td>${together(formatCount(accepted[type] ?? 0))}</td>
<td${outside > 0 ? html` class="notable"` : ""}>${together(formatCount(outside))}</td></tr>`;
}

function reasonsOf(
  title: string,
  counts: Readonly<Record<string, number>>,
  note: Html | undefined,
): Html | undefined {
  const known = Object.entries(counts).filter(([, count]) => count > 0);
  if (known.length === 0) return undefined;
  const items = known.map(([reason, count]) => {
    return html`<li><strong>${together(formatCount(count))}</strong> ${spoken(reason)}</li>`;
  });
  return html`<h3>${title}</h3><ul class="reasons">${items}</ul>
${note === undefined ? undefined : html`<p class="small">${note}</p>`}`;
}

/** What the last ones held, so that one sees at a glance whose they are. */
function refusedOf({ refused, nowMs }: Live): Html | undefined {
  if (refused.length === 0) return undefined;
  const items = refused.slice(0, REFUSED_SHOWN).map(({ reason, detail, topic, payload, bytes, atMs }) => {
    const text = payload === "" ? html`nothing` : html`<code>${payload}</code>`;
    return html`<li><p><strong>${spoken(reason)}</strong> <span class="small">${ago(atMs, nowMs)}, ${together(formatBytes(bytes))} on <code>${topic}</code></span></p>
<p class="small">${detail}</p><p class="payload">${text}</p></li>`;
  });
  return html`<ul class="refused" aria-label="The last messages not understood">${items}</ul>`;
}
