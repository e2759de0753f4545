/** The Glue job as the pipeline stack describes it: how it runs, what it may do, where it logs, how its runs are counted. */

import { Match } from "aws-cdk-lib/assertions";
import t from "tap";
import { build, writeSources } from "./build.ts";
import { has } from "./has.ts";
import { grantsOf, saidOf, short } from "./policies.ts";

const { pipelineTemplate: template } = build("dev", writeSources(t.testdir()));
const from = (name: string) => ({ "Fn::ImportValue": `windfarm-dev-data-${name}` });
const says = (prefix: string) => saidOf(template, prefix);

t.test("the job is Glue 5.1 in flex execution, by schedule and by hand, without bookmarks", async (t) => {
  has(t, template, "AWS::Glue::Job", {
    GlueVersion: "5.1",
    ExecutionClass: "FLEX",
    ExecutionProperty: { MaxConcurrentRuns: 2 },
    SecurityConfiguration: { Ref: Match.stringLikeRegexp("^JobSecurity") },
    DefaultArguments: {
      "--raw": { "Fn::Join": ["", ["s3://", from("RawBucket")]] },
      "--lake": { "Fn::Join": ["", ["s3://", from("LakeBucket")]] },
      "--database": "windfarm",
      "--farm": "windfarm-dev",
      "--metrics": "Windfarm",
      "--topic": { Ref: Match.stringLikeRegexp("^AlarmsTopic") },
      "--datalake-formats": "iceberg",
      "--stop_after_minutes": "50",
      "--enable-metrics": "true",
      "--job-bookmark-option": "job-bookmark-disable",
      "--conf": Match.absent(),
    },
  });
  has(t, template, "AWS::Glue::Trigger", {
    Type: "SCHEDULED",
    StartOnCreation: true,
    Actions: [{ JobName: { Ref: Match.stringLikeRegexp("^CurationJob") } }],
  });
});

t.test("the job may read its own script, modules and texts and no other asset", async (t) => {
  const assets = says("CurationRole").filter((line) => line.includes("cdk-hnb659fds-assets"));
  t.equal(assets.length, 3);
  for (const line of assets)
    t.match(line, /^Allow s3:GetObject on arn:aws:s3:::cdk-hnb659fds-assets-.*\/[0-9a-f]{64}\.(py|zip)$/);
  t.notOk(
    says("CurationRole").some((line) => /s3:(Put|Delete).*RawBucket/.test(line)),
    "it can't change a raw object",
  );
});

t.test("the job may write large objects in parts, and see and end those that failed", async (t) => {
  const lake = "arn:aws:s3:::<windfarm-dev-data-LakeBucket>";
  const lines = says("CurationRole");
  t.ok(lines.includes(`Allow s3:ListBucketMultipartUploads on ${lake}`));
  for (const action of ["AbortMultipartUpload", "ListMultipartUploadParts"])
    t.ok(lines.includes(`Allow s3:${action} on ${lake}/curated/*`), action);
});

t.test("the job makes and changes its four tables, drops none, and tells of itself", async (t) => {
  const lines = says("CurationRole");
  const glue = "arn:aws:glue:us-east-1:<AWS::AccountId>:";
  for (const table of ["readings", "deliveries", "rejects", "gateways"])
    t.ok(lines.includes(`Allow glue:UpdateTable on ${glue}table/windfarm/${table}`), table);
  t.same(
    lines.filter((line) => /glue:.*(Delete|Partition)|table\/windfarm\/(\*|raw)/.test(line)),
    [],
  );
  const metrics = grantsOf(template, "CurationRole").find(({ says }) => says.includes("PutMetricData"));
  t.same(metrics?.condition, { StringEquals: { "cloudwatch:namespace": ["Windfarm", "Glue"] } });
  t.ok(lines.some((line) => /^Allow sns:Publish on <AlarmsTopic/.test(line)));
});

t.test("the job's logs are the stack's: encrypted with its key, and not kept for ever", async (t) => {
  for (const kind of ["error", "output"]) {
    has(t, template, "AWS::Logs::LogGroup", {
      LogGroupName: `/aws-glue/windfarm-dev/${kind}`,
      RetentionInDays: 7,
      KmsKeyId: from("KeyArn"),
    });
  }
  has(t, template, "AWS::Glue::Job", {
    DefaultArguments: { "--custom-logGroup-prefix": "/aws-glue/windfarm-dev" },
  });
});

t.test("runs of the job are counted from its events, which may be written to their log group", async (t) => {
  has(t, template, "AWS::Events::Rule", {
    EventPattern: {
      source: ["aws.glue"],
      "detail-type": ["Glue Job State Change"],
      detail: { state: Match.arrayWith(["SUCCEEDED", "FAILED", "TIMEOUT"]) },
    },
  });
  has(t, template, "AWS::Logs::MetricFilter", {
    FilterPattern: '{ $.detail.state = "SUCCEEDED" }',
    MetricTransformations: [
      { MetricNamespace: "Windfarm", MetricName: "windfarm-dev.succeeded", MetricValue: "1" },
    ],
  });
  const [rule] = Object.values(template.findResources("AWS::Events::Rule"));
  const arn = short(rule?.Properties?.Targets?.[0]?.Arn);
  t.match(
    arn,
    /^arn:aws:logs:us-east-1:<AWS::AccountId>:log-group:<EventsLog[0-9A-F]+>$/,
    "without :* at its end",
  );
});
