/** The alarms. Each names the article of the runbook that says what it means and what to do. */

import { Duration, Stack } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import type { StageSettings } from "../settings.ts";
import { type DeliveryMetrics, jobRuns, leftUnread, type StreamMetrics, scannedBytes } from "./metrics.ts";

/** The alarms' names, which are also the anchors of their articles. */
export const ALARMS = [
  "throttled-writes",
  "iterator-age",
  "delivery-stopped",
  "delivery-freshness",
  "job-failed",
  "job-late",
  "farm-silent",
  "scan-cost",
] as const;
export type AlarmName = (typeof ALARMS)[number];

export interface AlarmsProps {
  settings: StageSettings;
  stream: StreamMetrics;
  delivery: DeliveryMetrics;
  workGroup: string;
}

interface Condition {
  /** One sentence: what is the matter. */
  says: string;
  metric: IMetric;
  comparison: ComparisonOperator;
  threshold: number;
  /** The alarm goes off when `breaching` of the last `of` periods breach. */
  of: number;
  breaching?: number;
  /** What no data means; by default that all is well. */
  missing?: TreatMissingData;
}

const FIVE_MINUTES = 5;

export class Alarms extends Construct {
  readonly topic: Topic;
  readonly alarms: readonly Alarm[];
  readonly #action: SnsAction;
  readonly #settings: StageSettings;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#settings = props.settings;
    this.topic = new Topic(this, "Topic", {
      displayName: `windfarm ${props.settings.stage} alarms`,
      enforceSSL: true,
    });
    // A topic's own policy takes the place of the default one, which let CloudWatch in.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: "AlarmsOfThisAccount",
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
    );
    for (const email of props.settings.alarms.emails)
      this.topic.addSubscription(new EmailSubscription(email));
    this.#action = new SnsAction(this.topic);
    const conditions = alarmConditions(props);
    this.alarms = ALARMS.map((name) => this.#alarm(name, conditions[name]));
  }

  #alarm(name: AlarmName, condition: Condition): Alarm {
    const { stage, runbook } = this.#settings;
    const alarm = new Alarm(this, name, {
      alarmName: `windfarm-${stage}-${name}`,
      alarmDescription: `${condition.says} What to do: ${runbook}#${name}`,
      metric: condition.metric,
      comparisonOperator: condition.comparison,
      threshold: condition.threshold,
      evaluationPeriods: condition.of,
      datapointsToAlarm: condition.breaching ?? condition.of,
      treatMissingData: condition.missing ?? TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.#action);
    alarm.addOkAction(this.#action);
    return alarm;
  }
}

function alarmConditions({
  settings,
  stream,
  delivery,
  workGroup,
}: AlarmsProps): Record<AlarmName, Condition> {
  const { alarms, curation, queries, stage } = settings;
  const { GREATER_THAN_THRESHOLD: above, LESS_THAN_THRESHOLD: below } = ComparisonOperator;
  return {
    "throttled-writes": {
      says: "The stream turns records away: gateways buffer and send again, and fall behind if it lasts.",
      metric: stream.writesThrottled(),
      comparison: above,
      threshold: 0,
      of: 10,
      breaching: 5,
    },
    "iterator-age": {
      says: `Records wait unread in the stream for more than ${alarms.iteratorAgeMinutes} minutes, or nothing looks for any.`,
      metric: stream.iteratorAge(),
      comparison: above,
      threshold: Duration.minutes(alarms.iteratorAgeMinutes).toMilliseconds(),
      of: 5,
      // Firehose asks every shard each second, and each answer has its age, be the stream empty.
      missing: TreatMissingData.BREACHING,
    },
    "delivery-stopped": {
      says: "Records come into the stream, and Firehose reads none.",
      metric: leftUnread(stream, delivery),
      comparison: above,
      threshold: 0,
      // The latest period of either metric may not be there yet, and would count as none.
      of: 5,
      breaching: 3,
    },
    "delivery-freshness": {
      says: `Records were read from the stream and not written to the raw bucket for more than ${alarms.freshnessMinutes} minutes.`,
      metric: delivery.freshness(),
      comparison: above,
      threshold: Duration.minutes(alarms.freshnessMinutes).toSeconds(),
      of: 3,
    },
    "job-failed": {
      says: "A run of the curation job failed: the lake stays as it was, and grows old.",
      metric: jobRuns(stage, "failed", Duration.minutes(FIVE_MINUTES)),
      comparison: above,
      threshold: 0,
      of: 1,
    },
    "job-late": {
      says: `No run of the curation job succeeded for ${curation.awaitedHours} hours.`,
      metric: jobRuns(stage, "succeeded", Duration.hours(1)),
      comparison: below,
      threshold: 1,
      of: curation.awaitedHours,
      missing: TreatMissingData.BREACHING,
    },
    "farm-silent": {
      says: `Not one record came from any gateway for ${alarms.silentMinutes} minutes.`,
      metric: stream.incomingRecords(Duration.minutes(FIVE_MINUTES)),
      comparison: below,
      threshold: 1,
      of: alarms.silentMinutes / FIVE_MINUTES,
      missing: TreatMissingData.BREACHING,
    },
    "scan-cost": {
      says: `Queries scanned more than ${queries.dailyScanBytes / 1e9} GB within a day.`,
      metric: scannedBytes(workGroup, Duration.days(1)),
      comparison: above,
      threshold: queries.dailyScanBytes,
      of: 1,
    },
  };
}
