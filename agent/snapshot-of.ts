/** Asks every part how it is and puts the answers together as one moment's picture. */

import type { AgentConfig } from "./config/schema.ts";
import type { FlowMeter } from "./observe/flow-meter.ts";
import { sentenceFor } from "./observe/sentence.ts";
import type { Snapshot } from "./observe/snapshot.ts";
import type { Parts } from "./parts.ts";

export interface Moment {
  config: AgentConfig;
  parts: Parts;
  flow: FlowMeter;
  version: string;
  startedMs: number;
  nowMs: number;
  phase: "starting" | "running" | "stopping";
}

export function snapshotOf({ config, parts, flow, version, startedMs, nowMs, phase }: Moment): Snapshot {
  const { epoch, accounts, oldestReceivedMs, ...stored } = parts.buffer.status();
  const buffer = { ...stored, onFull: config.buffer.onFull };
  const ship = parts.shipper.stats();
  const oldestBufferedSeconds =
    oldestReceivedMs === undefined ? 0 : Math.max(0, (nowMs - oldestReceivedMs) / 1000);
  const seen = { startedMs, nowMs, ...accounts, oldestBufferedSeconds };
  const said = sentenceFor({ ...seen, phase, buffer, ship, flow: flow.sample(nowMs, accounts) });
  return {
    gateway: config.gateway.id,
    site: config.gateway.site,
    version,
    epoch,
    ...said,
    ...seen,
    collect: { refusedLogins: {}, ...parts.collector.stats() },
    validate: parts.validator.stats(),
    buffer,
    ship,
    health: parts.health.current(),
  };
}
