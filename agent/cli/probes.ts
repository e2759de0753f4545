/** What `windfarm check --online` tries: the machine, the port or the broker where readings come from, and the stream they go to. */

import type { Logger } from "pino";
import { probeBroker } from "../collect/probe.ts";
import type { AgentConfig } from "../config/schema.ts";
import { createLogger } from "../observe/log.ts";
import { probeStream } from "../ship/probe.ts";
import { probeMachine } from "./machine-probe.ts";
import { isConnectable, isListenable } from "./port-probe.ts";

/** What became of one attempt. */
export interface Outcome {
  ok: boolean;
  /** One sentence. */
  message: string;
  /** What to try where it is not ok, or what to know where it is. */
  hint?: string;
}

/** One attempt after the other; none throws. */
export function probesOf(config: AgentConfig): (() => Promise<Outcome[]>)[] {
  // The outcomes say it all; what the parts would log besides is for the journal of a running agent.
  const log = createLogger({ level: "error", output: { write: () => {} } });
  return [() => probeMachine(config), () => probeSource(config), () => probeTarget(config, log)];
}

async function probeSource({ mqtt, gateway }: AgentConfig): Promise<Outcome[]> {
  if (mqtt.listen !== undefined) return [await isListenable(mqtt.listen)];
  if (mqtt.connect === undefined) return [];
  const { url } = mqtt.connect;
  const reached = await isConnectable(url, mqtt.connectTimeoutMs);
  if (!reached.ok) return [reached];
  const clientId = mqtt.clientId ?? `windfarm-${gateway.id}`;
  return [reached, ...(await probeBroker({ ...mqtt, url, clientId }))];
}

async function probeTarget({ kinesis }: AgentConfig, log: Logger): Promise<Outcome[]> {
  const deps = { log, now: Date.now, monotonicMs: () => performance.now(), env: process.env };
  return [await probeStream(kinesis, deps)];
}
