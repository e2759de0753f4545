/** The account: received = shipped + buffered + rejected + dropped, to be added up by eye. */

import { formatCount, formatShare } from "../../common/format.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Html, html } from "./html.ts";
import { together } from "./words.ts";

interface Term {
  name: "shipped" | "buffered" | "rejected" | "dropped";
  meaning: string;
  count: number;
}

/** Any term that is not nothing is seen, whatever its share, in percent of the bar. */
const LEAST_PERCENT = 0.8;

export function accountOf({ received, shipped, buffered, rejected, dropped }: Snapshot): Html {
  const terms: Term[] = [
    { name: "shipped", meaning: "accepted by Kinesis", count: shipped },
    { name: "buffered", meaning: "safe on disk", count: buffered },
    { name: "rejected", meaning: "not understood, kept aside", count: rejected },
    { name: "dropped", meaning: "made room for newer ones", count: dropped },
  ];
  const sum = shipped + buffered + rejected + dropped;
  return html`<section class="account" aria-label="The account of all readings">
<h2>Every reading accounted for since the buffer was created</h2>
<div class="sum">
<p class="total"><strong id="received">${together(formatCount(received))}</strong> <span>received</span></p>
${terms.map(termOf)}
</div>
${bar(terms, sum)}
${sum === received ? undefined : html`<p class="alarm">The parts add up to ${together(formatCount(sum))}: the account is wrong by ${together(formatCount(received - sum))}. Please report this.</p>`}
</section>`;
}

function termOf({ name, meaning, count }: Term, index: number): Html {
  return html`<p class="term" data-term="${name}" data-none="${String(count === 0)}"><i aria-hidden="true">${index === 0 ? "=" : "+"}</i>
<strong id="${name}">${together(formatCount(count))}</strong> <span>${name}</span> <small>${meaning}</small></p>`;
}

function bar(terms: readonly Term[], sum: number): Html {
  if (sum <= 0)
    return html`<svg class="bar" aria-hidden="true"><rect class="room" width="100%" height="100%"/></svg>`;
  const wanted = terms.map(({ count }) => (count > 0 ? Math.max(LEAST_PERCENT, (count / sum) * 100) : 0));
  const whole = wanted.reduce((total, width) => total + width, 0);
  const label = terms.map(({ name, count }) => `${name} ${formatShare(count / sum)}`).join(", ");
  let x = 0;
  const parts = terms.map(({ name }, index) => {
    const width = ((wanted[index] ?? 0) * 100) / whole;
    const part = html`<rect data-term="${name}" x="${x.toFixed(3)}%" width="${width.toFixed(3)}%" height="100%"/>`;
    x += width;
    return part;
  });
  return html`<svg class="bar" role="img" aria-label="${label}">${parts}</svg>`;
}
