/** The whole document as the server sends it. It is complete without its script, which only keeps it up to date. */

import type { Live } from "../live.ts";
import type { RateWindow } from "../rates.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Html, html } from "./html.ts";
import { mainOf } from "./main.ts";

/** Without the script the page asks for itself again, in seconds. */
const RELOAD_SECONDS = 5;

export function pageOf(snapshot: Snapshot, rates: RateWindow, live: Live): Html {
  const { gateway, site, version, sentence, startedMs } = snapshot;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${gateway}: ${sentence}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
<noscript><meta http-equiv="refresh" content="${RELOAD_SECONDS}"></noscript>
<script type="module" src="/page.js"></script>
</head>
<body data-version="${version}" data-started="${startedMs}">
<header>
<svg class="turbine" viewBox="0 0 32 32" aria-hidden="true"><path d="M16 14v15M16 13V3m0 10 8.7 5M16 13l-8.7 5"/></svg>
<p class="name"><strong>${gateway}</strong>${site === "" ? "" : html` <span>${site}</span>`}</p>
<p class="program">windfarm ${version}</p>
</header>
<p id="gone" role="alert"></p>
<p id="news" class="unseen" aria-live="polite"></p>
<main id="main">${mainOf(snapshot, rates, live)}</main>
<footer>
<nav aria-label="More">
<a href="/runbook">runbook</a> <a href="/api/status">status as JSON</a> <a href="/metrics">metrics</a> <a href="/readyz">readiness</a>
</nav>
<p>The account counts all readings since this buffer was created, epoch ${snapshot.epoch}; sensors, disk and shipping count since the agent started. Rates, in the chart too, are means over 10&nbsp;s.</p>
</footer>
</body>
</html>
`;
}
