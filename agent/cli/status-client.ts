/** Asks an agent's page for its status. */

import { get } from "node:http";
import * as z from "zod";
import { parseJson } from "../common/json.ts";
import { codeOf, EXIT, Fault, messageOf } from "../errors.ts";

const ANSWER_TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

const useSchema = z.object({ todayBytes: z.number(), monthBytes: z.number().optional() });

/** What this command shows of `/api/status`; what else is there passes unread. */
const statusSchema = z.object({
  gateway: z.string(),
  site: z.string(),
  version: z.string(),
  startedMs: z.number(),
  nowMs: z.number(),
  epoch: z.string(),
  state: z.string(),
  sentence: z.string(),
  received: z.number(),
  buffered: z.number(),
  shipped: z.number(),
  rejected: z.number(),
  dropped: z.number(),
  oldestBufferedSeconds: z.number(),
  collect: z.object({
    mode: z.string(),
    url: z.string(),
    ready: z.boolean(),
    connections: z.number(),
    closedConnections: z.record(z.string(), z.number()),
  }),
  validate: z.object({
    outOfRange: z.record(z.string(), z.number()),
    rejected: z.record(z.string(), z.number()),
  }),
  buffer: z.object({
    state: z.string(),
    problem: z.string().optional(),
    usedBytes: z.number(),
    maxBytes: z.number(),
    lastsSeconds: z.number().optional(),
    rejectsKept: z.number(),
    recovered: z.array(z.string()),
  }),
  ship: z.object({
    stream: z.string(),
    region: z.string(),
    endpoint: z.string().optional(),
    backoffSeconds: z.number(),
    lastSuccessMs: z.number().optional(),
    lastError: z
      .object({ code: z.string(), message: z.string(), hint: z.string().optional(), atMs: z.number() })
      .optional(),
  }),
  usage: z.object({ link: useSchema, disk: useSchema.optional() }).optional(),
  health: z.object({ rssBytes: z.number(), diskFreeBytes: z.number().optional() }),
});

/** What a service with a wrong configuration answers instead. */
const failureSchema = z.object({ state: z.literal("misconfigured"), sentence: z.string() });

export type Status = z.output<typeof statusSchema>;

export interface Answer {
  /** The agent's own JSON. */
  text: string;
  status: Status;
}

/** Throws a Fault `status.…`: nobody there, no answer in time, or someone else. */
export async function askStatus(pageUrl: string): Promise<Answer> {
  const url = statusUrl(pageUrl);
  const { code, text } = await fetchText(url);
  const status = statusSchema.safeParse(parseJson(text));
  if (code === 200 && status.success) return { text, status: status.data };
  const failure = failureSchema.safeParse(parseJson(text));
  if (failure.success) {
    throw new Fault("status.misconfigured", failure.data.sentence, {
      hint: "windfarm check names every problem; the agent starts by itself when the file is corrected",
      exitCode: EXIT.config,
    });
  }
  throw new Fault(
    "status.not_an_agent",
    `what answers at ${url.origin} is not a windfarm agent of this version`,
    {
      hint: "compare status.listen in the configuration with the log of the running agent, or name its page with --url",
    },
  );
}

function statusUrl(pageUrl: string): URL {
  if (URL.canParse(pageUrl)) {
    const url = new URL("/api/status", pageUrl);
    if (url.protocol === "http:") return url;
  }
  throw new Fault("cli.usage", `"${pageUrl}" is not the address of a page`, {
    hint: "write --url http://127.0.0.1:8080",
    exitCode: EXIT.usage,
  });
}

function fetchText(url: URL): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(unanswered(url, error));
    const request = get(url, { agent: false, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER_BYTES) response.destroy();
      });
      response.on("close", () => resolve({ code: response.statusCode ?? 0, text }));
      response.on("error", fail);
    });
    request.on("error", fail);
  });
}

function unanswered(url: URL, error: unknown): Fault {
  const cause = codeOf(error) === "ECONNREFUSED" ? "nothing listens there" : describe(error);
  return new Fault("status.not_running", `no agent answers at ${url.origin}: ${cause}`, {
    hint: "as a service: systemctl start windfarm, and journalctl -u windfarm says why it ended; by hand: windfarm run",
    cause: error,
  });
}

function describe(error: unknown): string {
  const timedOut = codeOf(error) === "ABORT_ERR" || (error instanceof Error && error.name === "TimeoutError");
  return timedOut ? `no answer within ${ANSWER_TIMEOUT_MS / 1000} s` : messageOf(error);
}
