/** What a fleet needs of the stream and of the job, in the terms of cloud/settings.ts. */

import type { StageSettings } from "../settings.ts";
import { DAY_SECONDS, MONTH_HOURS, type Traffic } from "./traffic.ts";

/** Of a shard: 1 MB/s or 1 000 records/s; a third stays free for backlogs and for shards that get more than others. */
const SHARD_BYTES = 1_000_000;
const SHARD_RECORDS = 1_000;
const FREE_SHARE = 1 / 3;

/** A worker (G.1X) has four cores, of which each is reckoned to load so many readings a second; one worker leads. */
export const LOADED_BY_WORKER = 4 * 4_000;
/** What a run takes besides its readings, hours: start, looking round, commit, upkeep. Reckoned. */
const RUN_HOURS = 3 / 60;

export interface Needs {
  shards: number;
  runsOfMonth: number;
  workers: number;
  /** Worker hours a month. */
  workerHours: number;
}

/** At least what the stage is set to. */
export function needsOf(traffic: Traffic, { stream, curation }: StageSettings): Needs {
  const used = 1 - FREE_SHARE;
  const shards = Math.max(
    stream.capacity.mode === "provisioned" ? stream.capacity.shards : 1,
    Math.ceil(traffic.bytes / (SHARD_BYTES * used)),
    Math.ceil(traffic.records / (SHARD_RECORDS * used)),
  );
  const hoursBetween = hoursBetweenRuns(curation.schedule);
  const runsOfMonth = MONTH_HOURS / hoursBetween;
  const readingsOfRun = traffic.readings * hoursBetween * 3_600;
  const halfTimeout = (curation.timeoutMinutes / 2) * 60;
  const workers = Math.max(curation.workers, 1 + Math.ceil(readingsOfRun / (LOADED_BY_WORKER * halfTimeout)));
  const loadingHours = readingsOfRun / (LOADED_BY_WORKER * (workers - 1)) / 3_600;
  return { shards, runsOfMonth, workers, workerHours: runsOfMonth * workers * (RUN_HOURS + loadingHours) };
}

/** `cron(20 * * * ? *)` runs every hour, `cron(20 0/6 * * ? *)` every sixth. */
export function hoursBetweenRuns(schedule: string): number {
  const every = /^cron\(\d+ (?:\*|0\/(\d+)) /.exec(schedule);
  if (every === null) return DAY_SECONDS / 3_600;
  return Number(every[1] ?? 1);
}
