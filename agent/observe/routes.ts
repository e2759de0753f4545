/** What each address of the status server answers. */

import { createHash } from "node:crypto";
import type { History } from "./history.ts";
import type { Live } from "./live.ts";
import type { Metrics } from "./metrics.ts";
import type { PageAssets } from "./page/assets.ts";
import { FAVICON } from "./page/favicon.ts";
import { pageOf } from "./page/page.ts";
import { runbookOf } from "./page/runbook.ts";
import type { RateWindow } from "./rates.ts";
import { readinessOf } from "./readiness.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Answer {
  status: number;
  type: string;
  body: string;
  /** Of what may be kept and asked for again; undefined for what must not be. */
  etag?: string;
}

export interface RouteDeps {
  snapshot: () => Snapshot;
  /** Loaded at the first scrape: a gateway that nobody scrapes is spared some megabytes. */
  metrics: () => Promise<Metrics>;
  live: () => Live;
  history: History;
  rates: RateWindow;
  assets: PageAssets;
}

export type Route = (query: URLSearchParams) => Answer | Promise<Answer>;

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

export function routesOf(deps: RouteDeps): ReadonlyMap<string, Route> {
  const { snapshot, metrics, live, history, rates, assets } = deps;
  return new Map<string, Route>([
    ["/", () => answer("text/html; charset=utf-8", pageOf(snapshot(), rates, live()).text)],
    ["/healthz", () => answer(TEXT, "alive\n")],
    ["/readyz", () => readyz(snapshot())],
    ["/metrics", async () => scraped(await metrics(), snapshot())],
    ["/api/status", () => answer(JSON_TYPE, `${JSON.stringify(snapshot())}\n`)],
    ["/api/live", () => answer(JSON_TYPE, `${JSON.stringify(live())}\n`)],
    ["/api/history", (query) => answer(JSON_TYPE, `${JSON.stringify(history.since(sinceOf(query)))}\n`)],
    ["/runbook", kept("text/html; charset=utf-8", runbookOf(assets.runbook).text)],
    ["/page.js", kept("text/javascript; charset=utf-8", assets.script)],
    ["/page.css", kept("text/css; charset=utf-8", assets.style)],
    ["/favicon.svg", kept("image/svg+xml", FAVICON)],
  ]);
}

function readyz(snapshot: Snapshot): Answer {
  const { ready, reason } = readinessOf(snapshot);
  const body = ready ? `ready: ${reason}\n` : `not ready: ${reason}\n`;
  return { status: ready ? 200 : 503, type: TEXT, body };
}

async function scraped(metrics: Metrics, snapshot: Snapshot): Promise<Answer> {
  return answer(metrics.contentType, await metrics.write(snapshot));
}

function sinceOf(query: URLSearchParams): number {
  const since = Number(query.get("since") ?? 0);
  return Number.isFinite(since) ? since : 0;
}

function answer(type: string, body: string): Answer {
  return { status: 200, type, body };
}

function kept(type: string, body: string): Route {
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 16)}"`;
  return () => ({ status: 200, type, body, etag });
}
