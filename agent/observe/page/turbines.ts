/** What each turbine's sensors show now and how they got there: one row a turbine, one column a sensor. */

import { countOf, formatCount } from "../../common/format.ts";
import type { Live, LiveSensor } from "../live.ts";
import { type Html, html } from "./html.ts";
import { ago, together } from "./words.ts";

/** A sensor that has said nothing for this long shows when it last did. */
const SILENT_MS = 2 * 60_000;
const WIDTH = 100;
const HEIGHT = 24;
/** A sparkline shows no less than this share of the plausible range, or noise would look like a storm. */
const LEAST_SPAN = 0.01;

type Column = Live["types"][number];

export function turbinesOf(live: Live): Html | undefined {
  const { turbines, types, more } = live;
  if (turbines.length === 0) return undefined;
  return html`<section class="turbines" aria-label="Turbines now">
<h2>${together(countOf(turbines.length, "turbine"))} now</h2>
<div class="wide"><table>
<thead><tr><th scope="col">Turbine</th>${types.map(({ type }) => html`<th scope="col">${type}</th>`)}</tr></thead>
<tbody>${turbines.map(({ name, sensors }) => rowOf(name, sensors, live))}</tbody>
</table></div>
${more ? html`<p class="small">Only the first ${formatCount(turbines.length)} turbines since the agent started are shown.</p>` : undefined}
</section>`;
}

function rowOf(name: string, sensors: Readonly<Record<string, LiveSensor>>, { types, nowMs }: Live): Html {
  return html`<tr><th scope="row">${name}</th>${types.map((column) => cellOf(column, sensors[column.type], nowMs))}</tr>`;
}

function cellOf(column: Column, sensor: LiveSensor | undefined, nowMs: number): Html {
  if (sensor === undefined) return html`<td><span class="small">&ndash;</span></td>`;
  const { data, atMs, outside } = sensor;
  const unit = column.unit === "1" ? "" : html` <small>${column.unit}</small>`;
  const isOutside = data < column.min || data > column.max;
  const silent = nowMs - atMs >= SILENT_MS ? html`<span class="small">${ago(atMs, nowMs)}</span>` : undefined;
  const marked = outside === 0 ? undefined : html`<span class="outside">${outsideWords(outside)}</span>`;
  return html`<td data-outside="${String(isOutside)}"><span class="value"><strong>${shown(data)}</strong>${unit}</span>${sparkline(column, sensor)}${marked}${silent}</td>`;
}

function outsideWords(outside: number): string {
  return `${together(formatCount(outside))} out of range`;
}

/** As exact as a reader needs: four digits. */
function shown(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e7)) return value.toExponential(2);
  const digits = magnitude >= 1000 ? 0 : magnitude >= 100 ? 1 : magnitude >= 10 ? 2 : 3;
  return value.toFixed(digits).replace("-", "−");
}

function sparkline({ type, min, max }: Column, { trail, marks }: LiveSensor): Html | undefined {
  if (trail.length < 2) return undefined;
  // What is out of range is marked; the line keeps the scale of what is in it, if anything is.
  const inside = trail.filter((value) => value >= min && value <= max);
  const scaled = inside.length > 0 ? inside : trail;
  const [low, high] = [Math.min(...scaled), Math.max(...scaled)];
  const span = Math.max(high - low, (max - min) * LEAST_SPAN) || 1;
  const middle = (low + high) / 2;
  const x = (index: number) => ((index * WIDTH) / (trail.length - 1)).toFixed(1);
  const y = (value: number) => {
    const height = ((middle - value) / span + 0.5) * (HEIGHT - 4) + 2;
    return Math.min(HEIGHT - 1, Math.max(1, height)).toFixed(1);
  };
  const line = trail.map((value, index) => `${index === 0 ? "M" : "L"}${x(index)} ${y(value)}`).join("");
  const ticks = marks.map((index) => `M${x(index)} 0v${HEIGHT}`).join("");
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${type}, the last ${trail.length} values: ${shown(Math.min(...trail))} to ${shown(Math.max(...trail))}">${ticks === "" ? undefined : html`<path class="mark" d="${ticks}"/>`}<path d="${line}"/></svg>`;
}
