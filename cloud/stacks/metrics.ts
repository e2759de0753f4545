/** The metrics that the alarms watch and the dashboard shows, each made in one place so that both mean the same. */

import { Duration } from "aws-cdk-lib";
import { MathExpression, Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";

/** Where the job's own metrics go, and the counts that CloudWatch reads from events. */
export const NAMESPACE = "Windfarm";

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);

/** `AWS/Kinesis` of one stream, per minute. */
export class StreamMetrics {
  readonly #stream: string;

  constructor(streamName: string) {
    this.#stream = streamName;
  }

  incomingBytes = (): Metric => this.#metric("IncomingBytes", Stats.SUM, "bytes in");
  incomingRecords = (period = MINUTE): Metric =>
    this.#metric("IncomingRecords", Stats.SUM, "records in", period);
  putSuccess = (): Metric => this.#metric("PutRecords.Success", Stats.AVERAGE, "requests that succeeded");
  putLatency = (statistic: string): Metric => this.#metric("PutRecords.Latency", statistic, statistic);
  throttledRecords = (): Metric =>
    this.#metric("PutRecords.ThrottledRecords", Stats.SUM, "records throttled");
  writesThrottled = (): Metric =>
    this.#metric("WriteProvisionedThroughputExceeded", Stats.SUM, "writes throttled");
  readsThrottled = (): Metric =>
    this.#metric("ReadProvisionedThroughputExceeded", Stats.SUM, "reads throttled");
  iteratorAge = (): Metric =>
    this.#metric("GetRecords.IteratorAgeMilliseconds", Stats.MAXIMUM, "oldest unread, ms");

  #metric(metricName: string, statistic: string, label: string, period = MINUTE): Metric {
    const dimensionsMap = { StreamName: this.#stream };
    return new Metric({ namespace: "AWS/Kinesis", metricName, dimensionsMap, statistic, period, label });
  }
}

/** `AWS/Firehose` of one delivery stream, per five minutes. */
export class DeliveryMetrics {
  readonly #deliveryStream: string;

  constructor(deliveryStreamName: string) {
    this.#deliveryStream = deliveryStreamName;
  }

  freshness = (): Metric =>
    this.#metric("DeliveryToS3.DataFreshness", Stats.MAXIMUM, "oldest undelivered, s");
  success = (): Metric => this.#metric("DeliveryToS3.Success", Stats.AVERAGE, "objects that were written");
  readRecords = (): Metric => this.#metric("DataReadFromKinesisStream.Records", Stats.SUM, "records read");
  deliveredBytes = (): Metric => this.#metric("DeliveryToS3.Bytes", Stats.SUM, "bytes delivered");
  throttledReads = (): Metric => this.#metric("ThrottledGetRecords", Stats.SUM, "reads throttled");

  #metric(metricName: string, statistic: string, label: string): Metric {
    const dimensionsMap = { DeliveryStreamName: this.#deliveryStream };
    return new Metric({
      namespace: "AWS/Firehose",
      metricName,
      dimensionsMap,
      statistic,
      period: FIVE_MINUTES,
      label,
    });
  }
}

/**
 * Records that came in five minutes in which the delivery read none; 0 while it reads. Where neither came nor was read
 * anything there is no value (0 / 0), so that an alarm which keeps its state without data does not end with the farm's
 * silence while the delivery is still dead.
 */
export function leftUnread(stream: StreamMetrics, delivery: DeliveryMetrics): MathExpression {
  return new MathExpression({
    expression: "IF(FILL(read, 0) > 0, 0, FILL(came, 0) / (FILL(came, 0) > 0))",
    usingMetrics: { came: stream.incomingRecords(FIVE_MINUTES), read: delivery.readRecords() },
    period: FIVE_MINUTES,
    label: "records that nobody read",
  });
}

/** Bytes that queries of one workgroup scanned. */
export function scannedBytes(workGroup: string, period: Duration): Metric {
  return new Metric({
    namespace: "AWS/Athena",
    metricName: "ProcessedBytes",
    dimensionsMap: { WorkGroup: workGroup },
    statistic: Stats.SUM,
    period,
    label: "bytes scanned",
  });
}

/** What is counted from events: runs of the job by their end, objects under errors/. */
export type Counted = "succeeded" | "failed" | "error-objects";

/** The name of the metric that counts so. */
export function countName(farm: string, counted: Counted): string {
  return `${farm}.${counted}`;
}

export function eventCount(farm: string, counted: Counted, period: Duration): Metric {
  return new Metric({
    namespace: NAMESPACE,
    metricName: countName(farm, counted),
    statistic: Stats.SUM,
    period,
    label: counted,
  });
}

/** What the job tells at the end of each run (cloud/jobs). */
export type JobMetric =
  | "SecondsBehind"
  | "ObjectsLeft"
  | "Rejects"
  | "Overtaken"
  | "Missing"
  | "SilentGateways"
  | "ReadingsLoaded";

const JOB_LABELS: Readonly<Record<JobMetric, string>> = {
  SecondsBehind: "oldest object not loaded, s",
  ObjectsLeft: "objects left",
  Rejects: "lines that are no readings",
  Overtaken: "commits another run overtook",
  Missing: "readings missing",
  SilentGateways: "silent gateways",
  ReadingsLoaded: "readings loaded",
};

/** A metric of the job; `statistic` over the runs of a period. */
export function jobMetric(
  farm: string,
  metricName: JobMetric,
  period: Duration,
  statistic: string = Stats.MAXIMUM,
): Metric {
  return new Metric({
    namespace: NAMESPACE,
    metricName,
    dimensionsMap: { Farm: farm },
    statistic,
    period,
    label: JOB_LABELS[metricName],
  });
}
