/** One screen: does the farm deliver, does the stream take it, does it reach the bucket, does the lake keep up. */

import { Duration } from "aws-cdk-lib";
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  PeriodOverride,
  TextWidget,
} from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import type { StageSettings } from "../settings.ts";
import { type DeliveryMetrics, eventCount, jobMetric, type StreamMetrics, scannedBytes } from "./metrics.ts";

export interface DashboardProps {
  settings: StageSettings;
  stream: StreamMetrics;
  delivery: DeliveryMetrics;
  workGroup: string;
  alarms: readonly Alarm[];
}

/** A third of the screen, which is 24 wide. */
const WIDTH = 8;
const HEIGHT = 6;

export function dashboard(scope: Construct, id: string, props: DashboardProps): Dashboard {
  const { settings, stream, delivery, workGroup } = props;
  const { farm } = settings.names;
  const board = new Dashboard(scope, id, {
    dashboardName: farm,
    defaultInterval: Duration.hours(12),
    periodOverride: PeriodOverride.AUTO,
  });
  board.addWidgets(
    new TextWidget({
      markdown: `# ${farm}\nGateways put readings on the stream, Firehose writes them to the raw bucket, the job makes the lake of them and keeps up with ${settings.curation.keepsUpWith} readings a second. Every alarm has its article: ${settings.runbook}`,
      width: 16,
      height: 3,
    }),
    new AlarmStatusWidget({ title: "Alarms", alarms: [...props.alarms], width: WIDTH, height: 3 }),
  );
  board.addWidgets(
    graph("Incoming bytes", [stream.incomingBytes()]),
    graph("Incoming records", [stream.incomingRecords()]),
    graph("Throttled", [stream.writesThrottled(), stream.throttledRecords(), stream.readsThrottled()]),
  );
  board.addWidgets(
    graph("PutRecords: share that succeeded", [stream.putSuccess()], { min: 0, max: 1 }),
    graph("PutRecords: latency, ms", [stream.putLatency("Average"), stream.putLatency("p99")]),
    graph("Iterator age, ms", [stream.iteratorAge()]),
  );
  board.addWidgets(
    graph("Delivery: freshness, s", [delivery.freshness()]),
    graph("Delivery: records read, bytes written", [delivery.readRecords()], {}, [delivery.deliveredBytes()]),
    graph("Delivery: share that was written", [delivery.success()], { min: 0, max: 1 }),
  );
  board.addWidgets(
    graph("Job runs", [eventCount(farm, "succeeded", HOUR), eventCount(farm, "failed", HOUR)]),
    graph("Lake: behind, s", [jobMetric(farm, "SecondsBehind", HOUR)], {}, [
      jobMetric(farm, "ObjectsLeft", HOUR),
    ]),
    graph("Lake: readings loaded an hour", [jobMetric(farm, "ReadingsLoaded", HOUR, "Sum")]),
  );
  board.addWidgets(
    graph("Readings missing, silent gateways", [
      jobMetric(farm, "Missing", HOUR),
      jobMetric(farm, "SilentGateways", HOUR),
    ]),
    graph("No readings, commits overtaken, error objects", [
      jobMetric(farm, "Rejects", HOUR, "Sum"),
      jobMetric(farm, "Overtaken", HOUR, "Sum"),
      eventCount(farm, "error-objects", HOUR),
    ]),
    graph("Bytes scanned by queries", [scannedBytes(workGroup, HOUR)]),
  );
  return board;
}

const HOUR = Duration.hours(1);

function graph(
  title: string,
  left: IMetric[],
  leftYAxis: { min?: number; max?: number } = { min: 0 },
  right: IMetric[] = [],
): IWidget {
  return new GraphWidget({ title, left, right, leftYAxis, width: WIDTH, height: HEIGHT });
}
