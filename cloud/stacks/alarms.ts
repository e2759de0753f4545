/** The alarms. Each names the article of the runbook that says what it means and what to do. */

import { Annotations, Duration, Stack } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import { ALARMS, type AlarmName } from "../alarms.ts";
import type { StageSettings } from "../settings.ts";
import {
  type DeliveryMetrics,
  eventCount,
  jobMetric,
  leftUnread,
  type StreamMetrics,
  scannedBytes,
} from "./metrics.ts";

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
/** The job tells its numbers once a run, which may be hours apart: what it told last holds until it tells again. */
const KEEPS_BETWEEN_RUNS = { of: 1, missing: TreatMissingData.IGNORE } as const;

export class Alarms extends Construct {
  readonly topic: Topic;
  readonly alarms: readonly Alarm[];
  readonly #action: SnsAction;
  readonly #settings: StageSettings;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#settings = props.settings;
    this.topic = new Topic(this, "Topic", {
      displayName: `${props.settings.names.farm} alarms`,
      enforceSSL: true,
    });
    // A topic's own policy takes the place of the default one, which let CloudWatch in.
    this.topic.addToResourcePolicy(
      // The job publishes as its own role, whose policy allows it.
      new PolicyStatement({
        sid: "AlarmsOfThisAccount",
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
    );
    this.#subscribe(props.settings.alarms.emails);
    this.#action = new SnsAction(this.topic);
    const conditions = alarmConditions(props);
    this.alarms = ALARMS.map((name) => this.#alarm(name, conditions[name]));
  }

  #subscribe(emails: readonly string[]): void {
    for (const email of emails) this.topic.addSubscription(new EmailSubscription(email));
    if (emails.length > 0) return;
    Annotations.of(this.topic).addWarningV2(
      "windfarm:nobodyIsTold",
      "Nobody is told of any alarm. Name who must know: -c email=ops@example.com, several with commas between them.",
    );
  }

  #alarm(name: AlarmName, condition: Condition): Alarm {
    const { names, runbook } = this.#settings;
    const alarm = new Alarm(this, name, {
      alarmName: `${names.farm}-${name}`,
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
  const { alarms, curation, queries, names } = settings;
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
      // While nothing comes it can't be seen whether Firehose reads again: the alarm stays as it is.
      missing: TreatMissingData.IGNORE,
    },
    "delivery-freshness": {
      says: `Records were read from the stream and not written to the raw bucket for more than ${alarms.freshnessMinutes} minutes.`,
      metric: delivery.freshness(),
      comparison: above,
      threshold: Duration.minutes(alarms.freshnessMinutes).toSeconds(),
      of: 3,
    },
    "job-failed": {
      says: "A run of the curation job failed, and so did Glue's second try: the lake stays as it was, and grows old.",
      metric: eventCount(names.farm, "failed", Duration.minutes(FIVE_MINUTES)),
      comparison: above,
      threshold: 0,
      of: 1,
    },
    "job-late": {
      says: `No run of the curation job succeeded for ${curation.awaitedHours} hours.`,
      metric: eventCount(names.farm, "succeeded", Duration.hours(1)),
      comparison: below,
      threshold: 1,
      of: curation.awaitedHours,
      missing: TreatMissingData.BREACHING,
    },
    "lake-behind": {
      says: `A run of the curation job ended with raw objects left that are older than ${curation.awaitedHours} hours.`,
      metric: jobMetric(names.farm, "SecondsBehind", Duration.hours(1)),
      comparison: above,
      threshold: Duration.hours(curation.awaitedHours).toSeconds(),
      ...KEEPS_BETWEEN_RUNS,
    },
    "readings-missing": {
      says: "Readings are missing in the lake that no gateway holds any more.",
      metric: jobMetric(names.farm, "Missing", Duration.hours(1)),
      comparison: above,
      threshold: 0,
      ...KEEPS_BETWEEN_RUNS,
    },
    "raw-rejects": {
      says: "Lines came through the stream that are no readings, although gateways send none.",
      metric: jobMetric(names.farm, "Rejects", Duration.hours(1), "Sum"),
      comparison: above,
      threshold: 0,
      of: 1,
    },
    "error-objects": {
      says: "Firehose wrote records it could not process under errors/; they are not in the lake.",
      metric: eventCount(names.farm, "error-objects", Duration.minutes(FIVE_MINUTES)),
      comparison: above,
      threshold: 0,
      of: 1,
    },
    "gateway-silent": {
      says: "A gateway sends no more while others do; a mail of the job names it.",
      metric: jobMetric(names.farm, "SilentGateways", Duration.hours(1)),
      comparison: above,
      threshold: 0,
      ...KEEPS_BETWEEN_RUNS,
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
