/** What each kind of sensor sent. */

import { formatCount, formatRate } from "../format.ts";
import type { RateWindow } from "../rates.ts";
import { spoken } from "../reasons.ts";
import type { Snapshot } from "../snapshot.ts";
import { acceptedCounter } from "./counters.ts";
import { type Html, html } from "./html.ts";
import { together } from "./words.ts";

export function sensorsOf({ validate, collect }: Snapshot, rates: RateWindow): Html {
  const types = [...new Set([...Object.keys(validate.accepted), ...Object.keys(validate.outOfRange)])];
  return html`<section class="sensors" aria-label="Sensors">
<h2>Sensors since the agent started</h2>
${types.length === 0 ? html`<p class="small">No reading has been understood yet.</p>` : tableOf(types, validate, rates)}
${reasonsOf("Not understood", validate.rejected, html`Kept aside with their reasons: <code>windfarm rejects</code>`)}
${reasonsOf("Connections closed by the agent", collect.closedConnections, undefined)}
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
