/**
 * What `windfarm check --online` tries: the machine, the buffer's folder, the port or the broker where readings come from,
 * and the stream they go to. What the running agent has, it need not be able to take once more.
 */

import type { Logger } from "pino";
import { probeBroker } from "../collect/probe.ts";
import type { AgentConfig } from "../config/schema.ts";
import { createLogger } from "../observe/log.ts";
import { probeStream } from "../ship/probe.ts";
import { probeMachine } from "./machine-probe.ts";
import type { Outcome } from "./outcome.ts";
import { askOwnAgent } from "./own-agent.ts";
import { isConnectable, isListenable } from "./port-probe.ts";
import { probeFolder, probeRoom } from "./room-probe.ts";
import type { Status } from "./status-client.ts";

/** One attempt after the other; none throws. */
export function probesOf(config: AgentConfig): (() => Promise<Outcome[]>)[] {
  // The outcomes say it all; what the parts would log besides is for the journal of a running agent.
  const log = createLogger({ level: "error", output: { write: () => {} } });
  const running = askOwnAgent(config);
  return [
    async () => [await probeMachine()],
    async () => probeBuffer(config, await running),
    async () => probeSource(config, await running),
    () => probeTarget(config, log),
  ];
}

function probeBuffer({ buffer }: AgentConfig, running: Status | undefined): Outcome[] {
  // Whoever checks beside the running agent may be another user, without a right to its folder.
  return running === undefined ? [probeFolder(buffer), probeRoom(buffer)] : [probeRoom(buffer)];
}

async function probeSource(config: AgentConfig, running: Status | undefined): Promise<Outcome[]> {
  const { mqtt, gateway } = config;
  if (mqtt.listen !== undefined) {
    if (running?.collect.ready === true && running.collect.url === mqtt.listen.url) {
      return [{ ok: true, message: `The running agent of ${gateway.id} listens on ${mqtt.listen.url}.` }];
    }
    return [await isListenable(mqtt.listen)];
  }
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
