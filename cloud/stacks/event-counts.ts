/**
 * Counts events that AWS tells EventBridge of and has no metric for: how runs of the job end, and objects that Firehose
 * wrote under errors/. A rule writes the events to a log group, whose filters count them. Alarms and dashboard read the
 * counts, people read the events.
 */

import { ArnFormat, Stack } from "aws-cdk-lib";
import { CfnRule } from "aws-cdk-lib/aws-events";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { FilterPattern, type IFilterPattern, LogGroup, MetricFilter } from "aws-cdk-lib/aws-logs";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { LAYOUT } from "../layout.ts";
import type { StageSettings } from "../settings.ts";
import { logGroupProps } from "./logs.ts";
import { type Counted, countName, NAMESPACE } from "./metrics.ts";

export interface EventCountsProps {
  settings: StageSettings;
  raw: IBucket;
  jobName: string;
  /** How often Glue tries a run again by itself. */
  retries: number;
}

const STATE = "$.detail.state";

export class EventCounts extends Construct {
  readonly #farm: string;
  readonly #log: LogGroup;

  constructor(scope: Construct, id: string, { settings, raw, jobName, retries }: EventCountsProps) {
    super(scope, id);
    this.#farm = settings.names.farm;
    this.#log = new LogGroup(this, "Log", logGroupProps(settings, `/aws/events/${this.#farm}`));
    this.#log.addToResourcePolicy(
      new PolicyStatement({
        principals: [
          new ServicePrincipal("events.amazonaws.com"),
          new ServicePrincipal("delivery.logs.amazonaws.com"),
        ],
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [this.#log.logGroupArn],
      }),
    );
    this.#rule("runs", "How runs of the curation job ended", {
      source: ["aws.glue"],
      "detail-type": ["Glue Job State Change"],
      detail: { jobName: [jobName], state: ["SUCCEEDED", "STOPPED", "FAILED", "TIMEOUT", "ERROR"] },
    });
    this.#rule("errors", "Objects that hold what could not be delivered", {
      source: ["aws.s3"],
      "detail-type": ["Object Created"],
      detail: {
        bucket: { name: [raw.bucketName] },
        object: { key: [{ prefix: `${LAYOUT.errorFolder}/` }] },
      },
    });
    this.#count("succeeded", FilterPattern.stringValue(STATE, "=", "SUCCEEDED"));
    this.#count("failed", failedForGood(retries));
    this.#count("error-objects", FilterPattern.stringValue("$.source", "=", "aws.s3"));
  }

  #rule(name: string, description: string, eventPattern: object): void {
    new CfnRule(this, name, {
      name: `${this.#farm}-${name}`,
      description,
      eventPattern,
      targets: [{ id: "Log", arn: plainArn(this.#log) }],
    });
  }

  #count(counted: Counted, filterPattern: IFilterPattern): void {
    new MetricFilter(this, counted, {
      logGroup: this.#log,
      filterPattern,
      metricNamespace: NAMESPACE,
      metricName: countName(this.#farm, counted),
      metricValue: "1",
    });
  }
}

/**
 * Flex finds no capacity now and then, and Glue tries again by itself; such a run's id ends with `_attempt_<n>`. Only the
 * last try's failure is one, and a timeout, after which Glue does not try again.
 */
function failedForGood(retries: number): IFilterPattern {
  const failed = FilterPattern.any(
    ...["FAILED", "ERROR"].map((state) => FilterPattern.stringValue(STATE, "=", state)),
  );
  const last = FilterPattern.stringValue("$.detail.jobRunId", "=", `*_attempt_${retries}`);
  return FilterPattern.any(FilterPattern.stringValue(STATE, "=", "TIMEOUT"), FilterPattern.all(failed, last));
}

/** A log group's ARN without the `:*` that CloudFormation puts at its end; EventBridge wants it so. */
function plainArn(log: LogGroup): string {
  return Stack.of(log).formatArn({
    service: "logs",
    resource: "log-group",
    resourceName: log.logGroupName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
