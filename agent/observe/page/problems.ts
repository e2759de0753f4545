/** The last warnings and errors of the log, each with its hint and its article. */

import type { Live } from "../live.ts";
import { type Html, html } from "./html.ts";
import { ago, article, together } from "./words.ts";

export function problemsOf({ problems, nowMs }: Live): Html | undefined {
  if (problems.length === 0) return undefined;
  const items = problems.map(({ atMs, level, message, code, hint, times }) => {
    const often = times === 1 ? "" : `, ${times} times`;
    return html`<li data-level="${level}"><p>${together(message)}</p>
${hint === undefined ? undefined : html`<p class="hint">${together(hint)}</p>`}
<p class="small">${level === "error" ? "Error" : "Warning"} ${ago(atMs, nowMs)}${often}${code === undefined ? undefined : html`, ${article(code)}`}</p></li>`;
  });
  return html`<section class="problems" aria-label="Last warnings and errors">
<h2>Last warnings and errors</h2>
<ul>${items}</ul>
</section>`;
}
