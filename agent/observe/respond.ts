/** One request, one answer: method, host, route, headers. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import { isOurHost, type KnownHosts } from "./host-check.ts";
import type { Answer, Route } from "./routes.ts";

export interface RespondDeps {
  routes: ReadonlyMap<string, Route>;
  hosts: KnownHosts;
  log: Logger;
}

/** Nothing from elsewhere is loaded, nothing is embedded, nothing is sent. */
const SECURITY_HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  deps: RespondDeps,
): Promise<void> {
  const answer = await answerTo(request, deps);
  const known = answer.etag !== undefined && request.headers["if-none-match"] === answer.etag;
  response.writeHead(known ? 304 : answer.status, {
    ...SECURITY_HEADERS,
    "Cache-Control": answer.etag === undefined ? "no-store" : "no-cache",
    ...(answer.etag === undefined ? {} : { ETag: answer.etag }),
    ...(answer.status === 405 ? { Allow: "GET, HEAD" } : {}),
    ...(known ? {} : { "Content-Type": answer.type, "Content-Length": Buffer.byteLength(answer.body) }),
  });
  response.end(known || request.method === "HEAD" ? undefined : answer.body);
}

async function answerTo(request: IncomingMessage, { routes, hosts, log }: RespondDeps): Promise<Answer> {
  if (!isOurHost(request.headers.host, hosts)) {
    return refusal(
      421,
      "this name is not known to be the gateway's; use its address or its host name instead",
    );
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refusal(405, "this server only shows; it takes GET and HEAD");
  }
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  const route = routes.get(path);
  if (route === undefined)
    return refusal(404, `there is nothing here; there is: ${[...routes.keys()].join(" ")}`);
  try {
    return await route(new URLSearchParams(query));
  } catch (error) {
    log.warn({ err: error, path }, "the status could not be shown");
    return refusal(500, `the status could not be shown: ${messageOf(error)}`);
  }
}

function refusal(status: number, reason: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${reason}\n` };
}
