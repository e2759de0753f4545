/** What gives way first when a fleet grows: each part's limit against what the fleet asks of it, and what helps. */

import type { StageSettings } from "../settings.ts";
import { hoursBetweenRuns, LOADED_BY_WORKER, type Needs } from "./needs.ts";
import type { Traffic } from "./traffic.ts";

export interface Limit {
  what: string;
  /** How many times the fleet's load it bears; below 1 it does not bear the fleet. */
  bears: number;
  remedy: string;
}

const SHARD_BYTES = 1_000_000;
const SHARD_RECORDS = 1_000;
/** Shards of an account in most regions, until AWS is asked for more; on demand a stream takes 200 MB/s at first. */
const ACCOUNT_SHARDS = 1_000;
/** Credentials the provider gives a second; each gateway asks once in fifty minutes. */
const CREDENTIALS_PER_SECOND = 50;
const RENEWAL_SECONDS = 3_000;
/** Measured with a processor held to about a Raspberry Pi 3's. */
const GATEWAY_READINGS = 21_000;
/** The job commits so many objects at once; a table's metadata grows with its commits. */
const OBJECTS_OF_RUN = 20_000;

/** The nearest first; `grown` is what a fleet as large as it may become needs. */
export function limitsOf(traffic: Traffic, grown: Needs, settings: StageSettings): Limit[] {
  const { stream, curation, queries } = settings;
  const deployed = stream.capacity.mode === "on-demand" ? 200 : stream.capacity.shards;
  const hours = hoursBetweenRuns(curation.schedule);
  const loaded =
    ((curation.workers - 1) * LOADED_BY_WORKER * (curation.timeoutMinutes / 2) * 60) / (hours * 3_600);
  const shardBears = (shards: number): number =>
    Math.min((shards * SHARD_BYTES) / traffic.bytes, (shards * SHARD_RECORDS) / traffic.records);
  const limits: Limit[] = [
    {
      what: `the stream, ${deployed} ${deployed === 1 ? "shard" : "shards"}`,
      bears: shardBears(deployed),
      remedy: `raise stream.capacity to ${grown.shards}, or to on-demand; gateways buffer meanwhile`,
    },
    {
      what: `the job, ${curation.workers} workers`,
      bears: loaded / traffic.readings,
      remedy: `raise curation.workers to ${grown.workers}; the lake falls behind meanwhile, today first`,
    },
    {
      what: "raw objects of a run",
      bears: OBJECTS_OF_RUN / (traffic.objects * hours),
      remedy: "let the job run more often (curation.schedule)",
    },
    {
      what: "a query over one day",
      bears: queries.scanCutoffBytes / traffic.rowsDayBytes,
      remedy: "raise queries.scanCutoffBytes, or ask for fewer columns or hours",
    },
    {
      what: "one gateway, a Pi 3",
      bears: GATEWAY_READINGS / traffic.gatewayReadings,
      remedy: "put fewer turbines on a gateway",
    },
    {
      what: "the credentials provider",
      bears: (CREDENTIALS_PER_SECOND * RENEWAL_SECONDS) / traffic.fleet.gateways,
      remedy: "ask AWS for more, or let credentials last longer (CREDENTIAL_SECONDS)",
    },
    {
      what: "shards of an account",
      bears: shardBears(ACCOUNT_SHARDS),
      remedy: "ask AWS for more",
    },
  ];
  return limits.sort((a, b) => a.bears - b.bears);
}
