/** What is wrong and what to do about it, where something is. What the sentence says already isn't said again. */

import { countOf } from "../../common/format.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Html, html } from "./html.ts";
import { ago, article, together } from "./words.ts";

/** What Kinesis last said is news for this long after it is over. */
const NEWS_MS = 10 * 60_000;

export function troubleOf(snapshot: Snapshot): Html {
  return html`${kinesisTrouble(snapshot)}${bufferTrouble(snapshot)}${salvaged(snapshot)}`;
}

function kinesisTrouble({ ship, nowMs, sentence }: Snapshot): Html | undefined {
  const { lastError, lastSuccessMs, backoffSeconds } = ship;
  if (lastError === undefined) return undefined;
  const over = lastSuccessMs !== undefined && lastSuccessMs >= lastError.atMs;
  if (over && nowMs - lastError.atMs > NEWS_MS) return undefined;
  const next = backoffSeconds > 0 ? ` Next try in ${Math.ceil(backoffSeconds)}\u00a0s.` : "";
  return html`<section class="trouble" data-over="${String(over)}" aria-label="Kinesis' last error">
<h2>${over ? "Kinesis takes readings again. Its last error" : "Kinesis does not take readings"}</h2>
${unlessSaid(lastError.message, sentence)}
${lastError.hint === undefined ? undefined : html`<p class="hint">${together(lastError.hint)}</p>`}
<p class="small">${article(lastError.code)} ${ago(lastError.atMs, nowMs)}.${next}</p>
</section>`;
}

function bufferTrouble({ buffer, sentence }: Snapshot): Html | undefined {
  // That it is full, and what follows, is the sentence's own matter.
  if (buffer.problem === undefined || buffer.state === "full") return undefined;
  const said = unlessSaid(buffer.problem, sentence);
  if (said === undefined) return undefined;
  return html`<section class="trouble" aria-label="The buffer's problem"><h2>The buffer</h2>${said}</section>`;
}

function salvaged({ buffer }: Snapshot): Html | undefined {
  if (buffer.recovered.length === 0) return undefined;
  return html`<section class="trouble" data-over="true" aria-label="Damage found at the start">
<h2>The buffer was damaged; ${together(countOf(buffer.salvagedReadings, "reading"))} saved</h2>
<ul>${buffer.recovered.map((sentence) => html`<li>${together(sentence)}</li>`)}</ul>
</section>`;
}

function unlessSaid(message: string, sentence: string): Html | undefined {
  return sentence.includes(message.trim().replace(/\.$/, "")) ? undefined : html`<p>${together(message)}</p>`;
}
