/** What the agent and the local cloud say of themselves, over HTTP. */

import { z } from "zod";

const count = z.number().int().nonnegative();

const AgentStatus = z.object({
  gateway: z.string(),
  epoch: z.string(),
  sentence: z.string(),
  received: count,
  buffered: count,
  shipped: count,
  rejected: count,
  dropped: count,
});
export type AgentStatus = z.infer<typeof AgentStatus>;

const CloudStatus = z.object({
  /** Readings in raw objects, each time they came. */
  deliveredReadings: count,
  /** Rows of the curated table. */
  lakeReadings: count,
  lag: z.object({
    /** True where the table has everything the stream accepted. */
    none: z.boolean(),
  }),
  epochs: z.array(z.object({ gateway: z.string(), epoch: z.string(), maxSeq: count, distinct: count })),
});
export type CloudStatus = z.infer<typeof CloudStatus>;

/** How long one answer may take; a day of a million readings is curated within. */
const ANSWER_MS = 5_000;
const FLUSH_MS = 120_000;

/** Where the two are asked. */
export class Observer {
  readonly #page: string;
  readonly #control: string;

  /** URLs without a path. */
  constructor(page: string, control: string) {
    this.#page = page;
    this.#control = control;
  }

  /** Undefined where there is no sensible answer, as in the others below. */
  async agent(): Promise<AgentStatus | undefined> {
    return AgentStatus.safeParse(await ask(`${this.#page}/api/status`, ANSWER_MS)).data;
  }

  async cloud(): Promise<CloudStatus | undefined> {
    return CloudStatus.safeParse(await ask(`${this.#control}/_local/status`, ANSWER_MS)).data;
  }

  /** True when the agent accepts readings durably. */
  async agentReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.#page}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) })).ok;
    } catch {
      return false;
    }
  }

  /** Brings all that is in the stream to the lake; then its status. */
  async flush(): Promise<CloudStatus | undefined> {
    await ask(`${this.#control}/_local/flush`, FLUSH_MS, "POST");
    return this.cloud();
  }
}

async function ask(url: string, timeoutMs: number, method = "GET"): Promise<unknown> {
  try {
    const answer = await fetch(url, { method, signal: AbortSignal.timeout(timeoutMs) });
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}
