/** The alarms go off when they should, reach someone, and say where to read on. */

import type { Stack } from "aws-cdk-lib";
import { Annotations, Match } from "aws-cdk-lib/assertions";
import t from "tap";
import { settingsOf } from "../../../cloud/settings.ts";
import { Program } from "../../helpers/program.ts";
import { build, writeSources } from "./build.ts";
import { all, has } from "./has.ts";

const sources = writeSources(t.testdir());
const { pipelineTemplate: template } = build("dev", sources);

t.test("alarms reach the topic: CloudWatch may publish, and only over TLS", async (t) => {
  has(t, template, "AWS::SNS::TopicPolicy", {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
        Match.objectLike({
          Effect: "Allow",
          Action: "sns:Publish",
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
        }),
      ]),
    },
  });
  all(t, template, "AWS::CloudWatch::Alarm", {
    AlarmActions: [{ Ref: Match.stringLikeRegexp("^AlarmsTopic") }],
    OKActions: [{ Ref: Match.stringLikeRegexp("^AlarmsTopic") }],
  });
});

t.test("a silent farm alarms although silence makes no data, and a quiet stream does not", async (t) => {
  has(t, template, "AWS::CloudWatch::Alarm", {
    AlarmName: "windfarm-dev-farm-silent",
    Metrics: [{ MetricStat: { Metric: { MetricName: "IncomingRecords" }, Stat: "Sum", Period: 300 } }],
    EvaluationPeriods: 12,
    Threshold: 1,
    ComparisonOperator: "LessThanThreshold",
    TreatMissingData: "breaching",
  });
  has(t, template, "AWS::CloudWatch::Alarm", {
    AlarmName: "windfarm-dev-throttled-writes",
    Metrics: [{ MetricStat: { Metric: { MetricName: "WriteProvisionedThroughputExceeded" } } }],
    TreatMissingData: "notBreaching",
  });
});

t.test("a stream that nobody reads alarms although a stopped reader makes no data", async (t) => {
  has(t, template, "AWS::CloudWatch::Alarm", {
    AlarmName: "windfarm-dev-iterator-age",
    Metrics: [{ MetricStat: { Metric: { MetricName: "GetRecords.IteratorAgeMilliseconds" } } }],
    TreatMissingData: "breaching",
  });
});

t.test("records that come in while Firehose reads none alarm, and a silent farm does not", async (t) => {
  const stat = (Id: string, Namespace: string, MetricName: string) =>
    Match.objectLike({
      Id,
      MetricStat: { Metric: { Namespace, MetricName }, Period: 300, Stat: "Sum" },
      ReturnData: false,
    });
  has(t, template, "AWS::CloudWatch::Alarm", {
    AlarmName: "windfarm-dev-delivery-stopped",
    Metrics: Match.arrayWith([
      Match.objectLike({ Expression: "IF(FILL(read, 0) > 0, 0, FILL(came, 0) / (FILL(came, 0) > 0))" }),
      stat("came", "AWS/Kinesis", "IncomingRecords"),
      stat("read", "AWS/Firehose", "DataReadFromKinesisStream.Records"),
    ]),
    Threshold: 0,
    ComparisonOperator: "GreaterThanThreshold",
    // Either metric may be a period late.
    EvaluationPeriods: 5,
    DatapointsToAlarm: 3,
    // Where nothing comes and nothing is read there is no value: the farm's silence must not clear it.
    TreatMissingData: "ignore",
  });
});

t.test("where the runbook is served somewhere, every alarm links to its article there", async (t) => {
  const page = "https://wiki.example.com/windfarm/RUNBOOK.md";
  const served = build("dev", sources, settingsOf("dev", { runbook: page })).pipelineTemplate;
  all(t, served, "AWS::CloudWatch::Alarm", {
    AlarmDescription: Match.stringLikeRegexp(`^.{20,500} What to do: ${page}#[a-z-]+$`),
  });
});

t.test("an address that can't be the runbook's is refused", async (t) => {
  for (const address of [
    "http://wiki.example.com/RUNBOOK.md",
    "deploy/RUNBOOK.md",
    "https://",
    "https://wiki.example.com/RUNBOOK.md#top",
    "https://me:secret@wiki.example.com/RUNBOOK.md",
    "https://wiki.example.com/a page",
    `https://wiki.example.com/${"x".repeat(500)}`,
    true,
  ]) {
    const refused = { code: "cloud.runbook", exitCode: 2, hint: /-c runbook=https:/ };
    t.throws(() => settingsOf("dev", { runbook: address }), refused, String(address).slice(0, 50));
  }
});

t.test("the app takes the address from the command line", async (t) => {
  const env = { CDK_CONTEXT_JSON: JSON.stringify({ runbook: "http://wiki.example.com" }) };
  const { code, stderr } = await new Program("cdk", [], { env }).ended;
  t.equal(code, 2);
  t.match(stderr, `cdk: "http://wiki.example.com" can't be the runbook's address\n  try: `);
});

t.test("what the job tells holds from one run to the next", async (t) => {
  for (const [name, metric] of [
    ["readings-missing", "Missing"],
    ["gateway-silent", "SilentGateways"],
    ["lake-behind", "SecondsBehind"],
  ] as const) {
    has(t, template, "AWS::CloudWatch::Alarm", {
      AlarmName: `windfarm-dev-${name}`,
      Metrics: [
        Match.objectLike({
          MetricStat: Match.objectLike({ Metric: Match.objectLike({ MetricName: metric }) }),
        }),
      ],
      TreatMissingData: "ignore",
    });
  }
});

t.test("only a run's last try that failed is a failure; a timeout is one", async (t) => {
  has(t, template, "AWS::Glue::Job", { MaxRetries: 1 });
  has(t, template, "AWS::Logs::MetricFilter", {
    FilterPattern:
      '{ ($.detail.state = "TIMEOUT") || ((($.detail.state = "FAILED") || ($.detail.state = "ERROR")) && ($.detail.jobRunId = "*_attempt_1")) }',
    MetricTransformations: [{ MetricName: "windfarm-dev.failed" }],
  });
});

t.test("objects under errors/ are counted from the bucket's own events", async (t) => {
  const { dataTemplate } = build("dev", sources);
  has(t, dataTemplate, "AWS::S3::Bucket", {
    NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
  });
  has(t, template, "AWS::Events::Rule", {
    EventPattern: {
      source: ["aws.s3"],
      detail: { object: { key: [{ prefix: "errors/" }] } },
    },
  });
});

t.test("alarms are mailed to who is named, and a synthesis that names nobody warns", async (t) => {
  const named = build("dev", sources, settingsOf("dev", { email: "ops@example.com, me@example.com" }));
  for (const Endpoint of ["ops@example.com", "me@example.com"])
    has(t, named.pipelineTemplate, "AWS::SNS::Subscription", { Protocol: "email", Endpoint });
  const warnings = (stack: Stack) =>
    Annotations.fromStack(stack).findWarning("*", Match.stringLikeRegexp("-c email="));
  t.equal(warnings(named.pipeline).length, 0);
  t.equal(warnings(build("dev", sources, settingsOf("dev")).pipeline).length, 1);
});
