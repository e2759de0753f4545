/** The month's bill of a fleet, line by line. */

import { ALARMS } from "../alarms.ts";
import type { StageSettings } from "../settings.ts";
import type { Needs } from "./needs.ts";
import { PRICES, type PriceName } from "./prices.ts";
import { MONTH_HOURS, MONTH_SECONDS, type Traffic } from "./traffic.ts";

export interface BillLine {
  what: string;
  /** How it comes about. */
  how: string;
  usd: number;
}

const GB = 1e9;
const UNIT_BYTES = 25 * 1024;
const DAYS_OF_MONTH = MONTH_HOURS / 24;
/** Storage grows; the bill is that of the twelfth month. */
const MONTHS_KEPT = 12;
/** Below it S3 moves no object to a colder class, bytes. */
const COLD_OBJECT_BYTES = 128 * 1024;
/** What analysts are reckoned to ask a day; each query reads a day of all columns, as far as the workgroup lets it. */
export const QUERIES_OF_DAY = 50;
const QUERY_BYTES = 10e6;
/** Metrics of the job and counts of events. */
const METRICS = 10;
/** A crawler's DPUs; its runs of a month are one a day, ten minutes each. */
const CRAWLER_DPU = 2;
const CRAWLER_HOURS = 10 / 60;
/** What Glue and Firehose log, GB a month, and calls to the key, which buckets and stream keep few. Reckoned. */
const LOGS_GB = 1;
const KEY_REQUESTS_OF_HOUR = 600;

export function billOf(traffic: Traffic, needs: Needs, settings: StageSettings): BillLine[] {
  return [
    streamLine(traffic, needs, settings),
    {
      what: "Firehose",
      how: `${whole(traffic.records)} records/s of ${whole(traffic.recordBytes)} B, each billed as a multiple of 5 KB`,
      usd: cost("firehose", (traffic.records * MONTH_SECONDS * roundedUp(traffic.recordBytes, 5_000)) / GB),
    },
    ...storage(traffic, needs, settings),
    {
      what: "Glue job",
      how: `${whole(needs.runsOfMonth)} runs, ${needs.workers} workers, ${whole(needs.workerHours)} worker hours in Flex`,
      usd: cost("glueFlex", needs.workerHours),
    },
    {
      what: "Crawler",
      how: "a run a day, ten minutes each",
      usd: cost("crawler", DAYS_OF_MONTH * CRAWLER_DPU * CRAWLER_HOURS),
    },
    athena(traffic, settings),
    {
      what: "CloudWatch",
      how: `${ALARMS.length} alarms, ${METRICS} metrics, a dashboard, logs`,
      usd:
        cost("alarm", ALARMS.length) + cost("metric", METRICS) + cost("dashboard", 1) + cost("logs", LOGS_GB),
    },
    {
      what: "Key",
      how: "one for everything",
      usd: cost("key", 1) + cost("keyRequests", (KEY_REQUESTS_OF_HOUR * MONTH_HOURS) / 10_000),
    },
  ];
}

/** By shards or on demand, whichever is cheaper. */
function streamLine(traffic: Traffic, { shards }: Needs, { stream }: StageSettings): BillLine {
  const units = traffic.records * Math.ceil(traffic.recordBytes / UNIT_BYTES) * MONTH_SECONDS;
  const extended = stream.retentionHours > 24;
  const byShards =
    cost("shardHour", shards * MONTH_HOURS) +
    cost("payloadUnits", units / 1e6) +
    (extended ? cost("retentionHour", shards * MONTH_HOURS) : 0);
  const gigabytes = (traffic.records * roundedUp(traffic.recordBytes, 1_024) * MONTH_SECONDS) / GB;
  const keptGB = (traffic.bytes * (stream.retentionHours - 24) * 3_600) / GB;
  const onDemand =
    cost("onDemandHour", MONTH_HOURS) +
    cost("onDemandIn", gigabytes) +
    cost("onDemandOut", gigabytes) +
    (extended ? cost("onDemandRetention", keptGB) : 0);
  const kept = `kept ${stream.retentionHours} h`;
  return byShards <= onDemand
    ? {
        what: "Kinesis",
        how: `${shards} ${shards === 1 ? "shard" : "shards"}, ${whole(units / 1e6)} million payload units, ${kept}; on demand $${whole(onDemand)}`,
        usd: byShards,
      }
    : {
        what: "Kinesis",
        how: `on demand, ${whole(gigabytes)} GB, ${kept}; ${shards} shards $${whole(byShards)}`,
        usd: onDemand,
      };
}

function storage(traffic: Traffic, needs: Needs, { raw }: StageSettings): BillLine[] {
  const { rawDayBytes, rowsDayBytes, objects } = traffic;
  const kept = MONTHS_KEPT * DAYS_OF_MONTH;
  const objectBytes = rawDayBytes / (objects * 24);
  const warmDays = objectBytes < COLD_OBJECT_BYTES ? kept : Math.min(raw.coldAfterDays, kept);
  const warm = (rawDayBytes * warmDays) / GB;
  const cold = (rawDayBytes * (kept - warmDays)) / GB;
  const rows = (rowsDayBytes * kept) / GB;
  const objectsOfMonth = objects * MONTH_HOURS;
  // A commit writes files, manifests and metadata of three tables; Firehose one object.
  const written = objectsOfMonth + needs.runsOfMonth * 100;
  return [
    {
      what: "S3 storage",
      how: `after a year: ${whole(warm + cold)} GB raw${cold > 0 ? `, ${whole(cold)} of it cold` : ", objects too small to get cold"}, ${whole(rows)} GB of tables`,
      usd: cost("s3Storage", warm + rows) + cost("s3Cold", cold),
    },
    {
      what: "S3 requests",
      how: `${whole(objects)} raw objects an hour of ${whole(objectBytes / 1_000)} kB`,
      usd: cost("s3Put", written / 1_000) + cost("s3Get", (written * 4) / 1_000),
    },
  ];
}

function athena({ rowsDayBytes }: Traffic, { queries }: StageSettings): BillLine {
  const each = Math.min(Math.max(rowsDayBytes, QUERY_BYTES), queries.scanCutoffBytes);
  return {
    what: "Athena",
    how: `${QUERIES_OF_DAY} queries a day of ${whole(each / 1e6)} MB each`,
    usd: cost("athena", (QUERIES_OF_DAY * DAYS_OF_MONTH * each) / 1e12),
  };
}

function cost(price: PriceName, amount: number): number {
  return PRICES[price].usd * amount;
}

function roundedUp(bytes: number, step: number): number {
  return Math.ceil(bytes / step) * step;
}

/** A number for people: three digits that say something. */
export function whole(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return Number(value.toFixed(digits)).toLocaleString("en-GB");
}
