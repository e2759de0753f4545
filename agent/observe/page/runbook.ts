/** The runbook, served by the page itself: whoever needs it may have no link to anywhere else. */

import { Html, html } from "./html.ts";

/** @param body deploy/RUNBOOK.md as HTML, made when the program is built */
export function runbookOf(body: string): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>windfarm: runbook</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<header><p class="name"><a href="/">Back to the gateway</a></p></header>
<main class="prose">${new Html(body)}</main>
</body>
</html>
`;
}
