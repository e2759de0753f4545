/** Asks every part how it is and puts the answers together as one moment's picture. */

import type { AgentConfig } from "./config/schema.ts";
import type { FlowMeter } from "./observe/flow-meter.ts";
import { sentenceFor } from "./observe/sentence.ts";
import type { Snapshot } from "./observe/snapshot.ts";
import { type UseMeter, writtenBytes } from "./observe/use-meter.ts";
import type { Parts } from "./parts.ts";

export interface Moment {
  config: AgentConfig;
  parts: Parts;
  flow: FlowMeter;
  /** Take a sample of each with every picture. */
  meters: { link: UseMeter; disk: UseMeter };
  version: string;
  startedMs: number;
  nowMs: number;
  phase: "starting" | "running" | "stopping";
}

export function snapshotOf(moment: Moment): Snapshot {
  const { config, parts, version, startedMs, nowMs, phase } = moment;
  const { epoch, accounts, oldestReceivedMs, ...stored } = parts.buffer.status();
  const { linkBytes, storedReadingBytes, ...ship } = parts.shipper.stats();
  const flow = moment.flow.sample(nowMs, accounts);
  const lastsSeconds = lastsFor(stored, flow.receivedPerSecond, storedReadingBytes);
  const buffer = {
    ...stored,
    onFull: config.buffer.onFull,
    ...(lastsSeconds === undefined ? {} : { lastsSeconds }),
  };
  const oldestBufferedSeconds =
    oldestReceivedMs === undefined ? 0 : Math.max(0, (nowMs - oldestReceivedMs) / 1000);
  const seen = { startedMs, nowMs, ...accounts, oldestBufferedSeconds };
  const said = sentenceFor({ ...seen, phase, buffer, ship, flow });
  return {
    gateway: config.gateway.id,
    site: config.gateway.site,
    version,
    epoch,
    ...said,
    ...seen,
    collect: parts.collector.stats(),
    validate: parts.validator.stats(),
    buffer,
    ship,
    usage: usageOf(moment, linkBytes),
    health: parts.health.current(),
  };
}

function usageOf({ meters, nowMs }: Moment, linkBytes: number): NonNullable<Snapshot["usage"]> {
  const written = writtenBytes();
  return {
    link: meters.link.sample(nowMs, linkBytes),
    ...(written === undefined ? {} : { disk: meters.disk.sample(nowMs, written) }),
  };
}

/** A reading's share of pages and indexes, beside its own bytes. */
const PAGES_FACTOR = 1.2;

/** Until the room left is used up by readings of `readingBytes` each, seconds; undefined where nothing is known of them. */
function lastsFor(
  { usedBytes, maxBytes }: { usedBytes: number; maxBytes: number },
  perSecond: number,
  readingBytes: number | undefined,
): number | undefined {
  if (readingBytes === undefined || perSecond <= 0) return undefined;
  return Math.max(0, maxBytes - usedBytes) / (perSecond * readingBytes * PAGES_FACTOR);
}
