/** What the status address answers while the configuration is wrong: a page, two probes and JSON instead of a dead port. */

import { html } from "./page/html.ts";
import type { Answer, Route } from "./routes.ts";

export interface Failure {
  version: string;
  /** One plain sentence; also systemd's STATUS. */
  sentence: string;
  /** The configuration's file. */
  file: string;
  /** Everything that is wrong, each with its place. */
  problems: readonly FailureProblem[];
}

export interface FailureProblem {
  file: string;
  line?: number;
  column?: number;
  message: string;
  hint?: string | undefined;
}

/** Without a script the page asks for itself again, in seconds. */
const RELOAD_SECONDS = 3;

export function failureRoutes(failure: () => Failure, style: string): ReadonlyMap<string, Route> {
  const refused = (): Answer => answer("text/plain; charset=utf-8", `not ready: ${failure().sentence}\n`);
  return new Map<string, Route>([
    ["/", () => answer("text/html; charset=utf-8", pageOf(failure()))],
    ["/healthz", refused],
    ["/readyz", refused],
    [
      "/api/status",
      () => answer("application/json; charset=utf-8", `${JSON.stringify(statusOf(failure()))}\n`),
    ],
    ["/page.css", () => ({ ...answer("text/css; charset=utf-8", style), status: 200 })],
  ]);
}

function answer(type: string, body: string): Answer {
  return { status: 503, type, body };
}

function statusOf({ version, sentence, file, problems }: Failure): object {
  return { version, state: "misconfigured", sentence, file, problems };
}

function pageOf({ version, sentence, file, problems }: Failure): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="${RELOAD_SECONDS}">
<title>${sentence}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<header>
<svg class="turbine" viewBox="0 0 32 32" aria-hidden="true"><path d="M16 14v15M16 13V3m0 10 8.7 5M16 13l-8.7 5"/></svg>
<p class="name"><strong>windfarm</strong></p>
<p class="program">windfarm ${version}</p>
</header>
<main>
<section class="headline" data-state="failed" aria-label="State">
<h1><span class="word">Failed</span>: the configuration is wrong; nothing is collected.</h1>
</section>
${problems.map(problemOf)}
</main>
<footer>
<p>Correct <code>${file}</code>; the agent starts by itself when the file changes. In a terminal <code>windfarm check</code> shows the same.</p>
</footer>
</body>
</html>
`.text;
}

function problemOf({ file, line, column, message, hint }: FailureProblem) {
  const place = line === undefined ? file : `${file}, line ${line}, column ${column}`;
  return html`<section class="trouble" aria-label="A problem in the configuration">
<h2>${message}</h2>
${hint === undefined ? undefined : html`<p class="hint">${hint}</p>`}
<p class="small"><code>${place}</code></p>
</section>
`;
}
