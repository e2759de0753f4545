/**
 * AWS' list prices in us-east-1, US dollars without taxes, free tiers and discounts; other regions cost up to half as much
 * again. They change: look at the source before you rely on one.
 *
 * Seen again, in copies of AWS' pages or at third parties: S3 storage, LIST and GET, Athena, Glue's DPU, metric, dashboard, logs,
 * and how Firehose and Kinesis round. Not seen again: shards, payload units, retention, on demand, what Firehose asks a GB,
 * S3's PUT, Glacier, Flex, alarms, the key.
 */

export const PRICES_AS_OF = "2026-11";

interface Price {
  usd: number;
  per: string;
  source: string;
}

const KINESIS = "https://aws.amazon.com/kinesis/data-streams/pricing/";
const S3 = "https://aws.amazon.com/s3/pricing/";
const GLUE = "https://aws.amazon.com/glue/pricing/";
const CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/";
const KMS = "https://aws.amazon.com/kms/pricing/";

export const PRICES = {
  shardHour: { usd: 0.015, per: "shard and hour", source: KINESIS },
  payloadUnits: { usd: 0.014, per: "million PUT payload units of 25 KB", source: KINESIS },
  retentionHour: { usd: 0.02, per: "shard and hour kept beyond 24 hours, up to 7 days", source: KINESIS },
  onDemandHour: { usd: 0.04, per: "on-demand stream and hour", source: KINESIS },
  onDemandIn: { usd: 0.08, per: "GB put on demand, each record rounded up to 1 KB", source: KINESIS },
  onDemandOut: { usd: 0.04, per: "GB read on demand", source: KINESIS },
  onDemandRetention: { usd: 0.1, per: "GB and month kept beyond 24 hours on demand", source: KINESIS },
  firehose: {
    usd: 0.029,
    per: "GB, each record rounded up to 5 KB",
    source: "https://aws.amazon.com/firehose/pricing/",
  },
  s3Storage: { usd: 0.023, per: "GB and month", source: S3 },
  s3Cold: { usd: 0.004, per: "GB and month in Glacier Instant Retrieval", source: S3 },
  s3Put: { usd: 0.005, per: "thousand PUT or LIST requests", source: S3 },
  s3Get: { usd: 0.0004, per: "thousand GET requests", source: S3 },
  glueFlex: { usd: 0.29, per: "DPU and hour in Flex execution", source: GLUE },
  crawler: { usd: 0.44, per: "DPU and hour of a crawler, ten minutes a run at least", source: GLUE },
  athena: {
    usd: 5,
    per: "TB scanned, 10 MB a query at least",
    source: "https://aws.amazon.com/athena/pricing/",
  },
  alarm: { usd: 0.1, per: "alarm and month", source: CLOUDWATCH },
  metric: { usd: 0.3, per: "metric of its own and month", source: CLOUDWATCH },
  dashboard: { usd: 3, per: "dashboard and month", source: CLOUDWATCH },
  logs: { usd: 0.5, per: "GB of logs", source: CLOUDWATCH },
  key: { usd: 1, per: "key and month", source: KMS },
  keyRequests: { usd: 0.03, per: "ten thousand requests to the key", source: KMS },
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;
