/** What moves and serves the data: each part does what it should and may do no more. */

import { Match } from "aws-cdk-lib/assertions";
import t from "tap";
import { build, writeSources } from "./build.ts";
import { count, has } from "./has.ts";
import { grantsOf, short } from "./policies.ts";

const { pipelineTemplate: template } = build("dev", writeSources(t.testdir()));
const from = (name: string) => ({ "Fn::ImportValue": `windfarm-dev-data-${name}` });
const says = (prefix: string): string[] =>
  grantsOf(template, prefix)
    .map((grant) => grant.says)
    .sort();

t.test("a gateway may put on the one stream and see whether it is there, nothing else", async (t) => {
  t.same(says("GatewayRole"), [
    "Allow kinesis:DescribeStreamSummary on <windfarm-dev-data-StreamArn>",
    "Allow kinesis:PutRecords on <windfarm-dev-data-StreamArn>",
    "Allow kms:GenerateDataKey on <windfarm-dev-data-KeyArn>",
  ]);
  has(t, template, "AWS::IoT::RoleAlias", {
    RoleAlias: "windfarm-dev-gateway",
    CredentialDurationSeconds: 3600,
  });
  has(t, template, "AWS::IoT::Policy", {
    PolicyDocument: {
      Statement: [
        {
          Effect: "Allow",
          Action: "iot:AssumeRoleWithCertificate",
          Resource: { "Fn::GetAtt": [Match.stringLikeRegexp("^GatewayRoleAlias"), "RoleAliasArn"] },
        },
      ],
    },
  });
});

t.test(
  "the policy that certificates hold stays with them, under a name no later stack asks for",
  async (t) => {
    const [policy] = Object.values(template.findResources("AWS::IoT::Policy"));
    t.match(policy, { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" });
    const name = policy?.Properties.PolicyName;
    t.match(JSON.stringify(name), /^{"Fn::Join":\["",\["windfarm-dev-gateway-",.*"AWS::StackId"/);
    t.doesNotThrow(() => template.hasOutput("GatewayPolicy", { Value: name }), "onboarding is told the name");
  },
);

t.test("the delivery stream stays itself: another one would begin at the end of the stream", async (t) => {
  const names = Object.keys(template.findResources("AWS::KinesisFirehose::DeliveryStream"));
  t.same(names, ["DeliveryStream"], "its logical id is pinned");
});

t.test("gateways get credentials after Firehose reads, and no more before it is deleted", async (t) => {
  t.doesNotThrow(() =>
    template.hasResource("AWS::IoT::RoleAlias", { DependsOn: Match.arrayWith(["DeliveryStream"]) }),
  );
});

t.test("Firehose is trusted without a condition that it may not meet", async (t) => {
  const roles = Object.entries(template.findResources("AWS::IAM::Role"));
  const role = roles.find(([id]) => id.startsWith("DeliveryRole"))?.[1];
  t.same(role?.Properties.AssumeRolePolicyDocument.Statement, [
    { Action: "sts:AssumeRole", Effect: "Allow", Principal: { Service: "firehose.amazonaws.com" } },
  ]);
});

t.test("the crawler adds partitions to our raw table and never changes its columns", async (t) => {
  has(t, template, "AWS::Glue::Crawler", {
    Targets: {
      CatalogTargets: [{ DatabaseName: "windfarm", Tables: ["raw_readings"] }],
      S3Targets: Match.absent(),
    },
    SchemaChangePolicy: { UpdateBehavior: "LOG", DeleteBehavior: "LOG" },
    Configuration: Match.serializedJson({
      Version: 1,
      CrawlerOutput: { Partitions: { AddOrUpdateBehavior: "InheritFromTable" } },
    }),
    Schedule: { ScheduleExpression: "cron(50 5 * * ? *)" },
  });
});

t.test("every raw column is a string, and the curated table has the contract's types by day", async (t) => {
  const column = (Name: string, Type: string) => ({ Name, Type });
  const names = ["id", "data", "type", "date", "turbine", "gateway", "epoch", "seq", "received"];
  has(t, template, "AWS::Glue::Table", {
    TableInput: {
      Name: "raw_readings",
      PartitionKeys: [column("dt", "string"), column("hr", "string")],
      StorageDescriptor: { Columns: names.map((name) => column(name, "string")) },
    },
  });
  has(t, template, "AWS::Glue::Table", {
    TableInput: {
      Name: "readings",
      TableType: "EXTERNAL_TABLE",
      PartitionKeys: [column("dt", "string")],
      // Projection would compute where a day lies; then no update of the catalog could replace it.
      Parameters: { classification: "parquet", "projection.enabled": Match.absent() },
      StorageDescriptor: {
        Columns: [
          column("id", "string"),
          column("data", "double"),
          column("type", "string"),
          column("date", "timestamp"),
          column("turbine", "string"),
          column("gateway", "string"),
          column("epoch", "string"),
          column("seq", "bigint"),
          column("received", "timestamp"),
        ],
      },
    },
  });
});

t.test("the job is Glue 5.1 in flex execution, by schedule and by hand, without bookmarks", async (t) => {
  has(t, template, "AWS::Glue::Job", {
    GlueVersion: "5.1",
    ExecutionClass: "FLEX",
    ExecutionProperty: { MaxConcurrentRuns: 2 },
    SecurityConfiguration: { Ref: Match.stringLikeRegexp("^Security") },
    DefaultArguments: {
      "--raw": { "Fn::Join": ["", ["s3://", from("RawBucket")]] },
      "--lake": { "Fn::Join": ["", ["s3://", from("LakeBucket")]] },
      "--table": "readings",
      "--job-bookmark-option": "job-bookmark-disable",
      "--conf": "spark.hadoop.fs.s3a.endpoint.region=us-east-1",
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
    for (const folder of ["curated/readings", "rejects", "index", "tmp"])
      t.ok(lines.includes(`Allow s3:${action} on ${lake}/${folder}/*`), `${action} in ${folder}`);
});

t.test("queries are cut off, their results encrypted, and nobody can say otherwise", async (t) => {
  has(t, template, "AWS::Athena::WorkGroup", {
    Name: "windfarm",
    WorkGroupConfiguration: {
      EnforceWorkGroupConfiguration: true,
      PublishCloudWatchMetricsEnabled: true,
      BytesScannedCutoffPerQuery: 1_000_000_000,
      ResultConfiguration: {
        OutputLocation: { "Fn::Join": ["", ["s3://", from("LakeBucket"), "/query-results/"]] },
        EncryptionConfiguration: { EncryptionOption: "SSE_KMS", KmsKey: from("KeyArn") },
      },
    },
  });
});

t.test(
  "each text in the folder of queries is a named query with its head comment as description",
  async (t) => {
    count(t, template, "AWS::Athena::NamedQuery", {}, 2);
    has(t, template, "AWS::Athena::NamedQuery", {
      Name: "latest",
      Description: "The latest value per turbine.",
      Database: "windfarm",
      WorkGroup: "windfarm",
      QueryString: Match.stringLikeRegexp("SELECT \\* FROM readings"),
    });
  },
);

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
      { MetricNamespace: "Windfarm", MetricName: "dev.curation.succeeded", MetricValue: "1" },
    ],
  });
  const [rule] = Object.values(template.findResources("AWS::Events::Rule"));
  const arn = short(rule?.Properties?.Targets?.[0]?.Arn);
  t.match(
    arn,
    /^arn:aws:logs:us-east-1:<AWS::AccountId>:log-group:<RunsLog[0-9A-F]+>$/,
    "without :* at its end",
  );
});

t.test("the dashboard shows the stream as its producers and readers see it", async (t) => {
  const [dashboard] = Object.values(template.findResources("AWS::CloudWatch::Dashboard"));
  const body = short(dashboard?.Properties?.DashboardBody);
  for (const metric of [
    "IncomingBytes",
    "IncomingRecords",
    "PutRecords.Success",
    "PutRecords.Latency",
    "GetRecords.IteratorAgeMilliseconds",
    "WriteProvisionedThroughputExceeded",
    "DeliveryToS3.DataFreshness",
    "dev.curation.succeeded",
    "dev.curation.failed",
    "ProcessedBytes",
  ]) {
    t.ok(body.includes(`"${metric}"`), metric);
  }
});

t.test("the outputs say what a gateway's configuration needs", async (t) => {
  t.doesNotThrow(() => template.hasOutput("StreamName", { Value: "windfarm-readings" }), "StreamName");
  t.doesNotThrow(() => template.hasOutput("Region", { Value: "us-east-1" }), "Region");
  t.doesNotThrow(
    () => template.hasOutput("GatewayRoleAlias", { Value: "windfarm-dev-gateway" }),
    "GatewayRoleAlias",
  );
});
