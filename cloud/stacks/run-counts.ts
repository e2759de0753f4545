/**
 * Counts how runs of the job end. Glue has no such metric; it tells EventBridge of each, whose rule writes the events
 * to a log group, whose filters count them. Alarms and dashboard read the counts, people read the events.
 */

import { ArnFormat, Stack } from "aws-cdk-lib";
import { CfnRule } from "aws-cdk-lib/aws-events";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { FilterPattern, type IFilterPattern, LogGroup, MetricFilter } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { StageSettings } from "../settings.ts";
import { logGroupProps } from "./logs.ts";
import { CURATION_NAMESPACE, type RunOutcome, runMetricName } from "./metrics.ts";

export interface RunCountsProps {
  settings: StageSettings;
  jobName: string;
}

const STATE = "$.detail.state";
const FAILED_STATES = ["FAILED", "TIMEOUT", "ERROR"] as const;

export class RunCounts extends Construct {
  constructor(scope: Construct, id: string, { settings, jobName }: RunCountsProps) {
    super(scope, id);
    const { stage } = settings;
    const log = new LogGroup(this, "Log", logGroupProps(settings, `/aws/events/windfarm-${stage}-curation`));
    log.addToResourcePolicy(
      new PolicyStatement({
        principals: [
          new ServicePrincipal("events.amazonaws.com"),
          new ServicePrincipal("delivery.logs.amazonaws.com"),
        ],
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [log.logGroupArn],
      }),
    );
    new CfnRule(this, "Rule", {
      name: `windfarm-${stage}-curation-runs`,
      description: "How runs of the curation job ended",
      eventPattern: {
        source: ["aws.glue"],
        "detail-type": ["Glue Job State Change"],
        detail: { jobName: [jobName], state: ["SUCCEEDED", "STOPPED", ...FAILED_STATES] },
      },
      targets: [{ id: "Log", arn: plainArn(log) }],
    });
    const failed = FilterPattern.any(
      ...FAILED_STATES.map((state) => FilterPattern.stringValue(STATE, "=", state)),
    );
    this.#count(log, stage, "succeeded", FilterPattern.stringValue(STATE, "=", "SUCCEEDED"));
    this.#count(log, stage, "failed", failed);
  }

  #count(logGroup: LogGroup, stage: string, outcome: RunOutcome, filterPattern: IFilterPattern): void {
    new MetricFilter(this, outcome, {
      logGroup,
      filterPattern,
      metricNamespace: CURATION_NAMESPACE,
      metricName: runMetricName(stage, outcome),
      metricValue: "1",
    });
  }
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
