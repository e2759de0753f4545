/** Small things that several parts of the page say alike. */

import { formatSeconds } from "../../common/format.ts";
import { type Html, type HtmlValue, html } from "./html.ts";

/** A number and what belongs to it stay on one line. */
export function together(text: string): string {
  return text.replace(/(\d) (?=\S)/g, "$1\u00a0");
}

/** "12 s ago", "never". */
export function ago(atMs: number | undefined, nowMs: number): string {
  if (atMs === undefined) return "never";
  return `${together(formatSeconds((nowMs - atMs) / 1000))} ago`;
}

/** Rows of a description list; a row without a value is left out. */
export function rows(entries: readonly (readonly [name: string, value: HtmlValue])[]): Html {
  const known = entries.filter(([, value]) => value !== undefined);
  return html`<dl>${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** An error's code, leading to its article in the runbook. */
export function article(code: string): Html {
  return html`<a href="/runbook#${code}"><code>${code}</code></a>`;
}
