/** What changes on the page. The server draws it once and the script again each second, both with these functions. */

import { formatCount } from "../../common/format.ts";
import type { Live } from "../live.ts";
import type { RateWindow } from "../rates.ts";
import type { AgentState, Snapshot } from "../snapshot.ts";
import { accountOf } from "./account.ts";
import { detailsOf } from "./details.ts";
import { flowOf } from "./flow.ts";
import { type Html, html } from "./html.ts";
import { problemsOf } from "./problems.ts";
import { sensorsOf } from "./sensors.ts";
import { troubleOf } from "./trouble.ts";
import { turbinesOf } from "./turbines.ts";
import { together } from "./words.ts";

const STATE_WORDS: Readonly<Record<AgentState, string>> = {
  starting: "Starting",
  delivering: "Delivering",
  idle: "Idle",
  buffering: "Buffering",
  full: "Full",
  failed: "Failed",
  stopping: "Stopping",
};

export function mainOf(snapshot: Snapshot, rates: RateWindow, live: Live): Html {
  return html`
<section class="headline" data-state="${snapshot.state}" aria-label="State">
${sentenceOf(snapshot)}
</section>
${troubleOf(snapshot)}
${flowOf(snapshot, rates)}
${accountOf(snapshot)}
${CHARTS}
${turbinesOf(live)}
${sensorsOf(snapshot, rates, live)}
${detailsOf(snapshot, rates)}
${problemsOf(live)}
`;
}

/** The state's word large, what follows it beside: "Delivering" "0 s behind." */
function sentenceOf({ state, sentence }: Snapshot): Html {
  const word = STATE_WORDS[state];
  if (!sentence.startsWith(word)) return html`<h1>${together(sentence)}</h1>`;
  const rest = sentence.slice(word.length);
  return html`<h1><span class="word">${word}</span>${together(rest)}</h1>`;
}

/** Drawn by the script alone; without it there is nothing to draw. */
const CHARTS = html`<section class="charts" data-keep hidden aria-label="The last hour">
<figure><figcaption><h2>Readings a second</h2><p class="key"></p></figcaption><div id="rate-chart" role="img"></div></figure>
<figure><figcaption><h2>Readings in the buffer</h2><p class="key"></p></figcaption><div id="depth-chart" role="img"></div></figure>
</section>`;

/** What the browser's tab says. */
export function titleOf({ gateway, state, buffered, sentence }: Snapshot): string {
  if (state === "delivering" || state === "idle") return `${gateway}: ${sentence}`;
  return `${STATE_WORDS[state]} (${formatCount(buffered)}): ${gateway}`;
}
