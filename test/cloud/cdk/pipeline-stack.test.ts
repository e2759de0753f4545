/** What moves and serves the data: each part does what it should and may do no more. */

import { Match } from "aws-cdk-lib/assertions";
import t from "tap";
import { build, writeSources } from "./build.ts";
import { count, has } from "./has.ts";
import { saidOf, short } from "./policies.ts";

const { pipelineTemplate: template } = build("dev", writeSources(t.testdir()));
const from = (name: string) => ({ "Fn::ImportValue": `windfarm-dev-data-${name}` });
const says = (prefix: string) => saidOf(template, prefix);

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
      Grouping: { TableGroupingPolicy: "CombineCompatibleSchemas" },
    }),
    Schedule: { ScheduleExpression: "cron(50 5 * * ? *)" },
  });
});

t.test(
  "the raw table is the only one that CloudFormation makes, and each of its columns a string",
  async (t) => {
    count(t, template, "AWS::Glue::Table", {}, 1);
    has(t, template, "AWS::Glue::Table", {
      TableInput: {
        Name: "raw_readings",
        PartitionKeys: [
          { Name: "dt", Type: "string" },
          { Name: "hr", Type: "string" },
        ],
        StorageDescriptor: {
          Columns: Match.arrayWith([
            { Name: "kind", Type: "string" },
            { Name: "id", Type: "string" },
            { Name: "seq", Type: "string" },
            { Name: "disk_free", Type: "string" },
          ]),
        },
      },
    });
    const [table] = Object.values(template.findResources("AWS::Glue::Table"));
    const columns: { Type: string }[] = table?.Properties.TableInput.StorageDescriptor.Columns;
    t.same(
      columns.filter(({ Type }) => Type !== "string"),
      [],
    );
  },
);

t.test("Firehose writes gzip as it comes, in objects that can be unpacked", async (t) => {
  has(t, template, "AWS::KinesisFirehose::DeliveryStream", {
    ExtendedS3DestinationConfiguration: {
      CompressionFormat: "UNCOMPRESSED",
      FileExtension: ".gz",
      BufferingHints: { SizeInMBs: 16 },
      DataFormatConversionConfiguration: Match.absent(),
      ProcessingConfiguration: Match.absent(),
    },
  });
});

t.test("revoked certificates have a policy of their own, which fits none at first", async (t) => {
  has(t, template, "AWS::IAM::RolePolicy", {
    PolicyName: "revoked-certificates",
    RoleName: { Ref: Match.stringLikeRegexp("^GatewayRole") },
    PolicyDocument: {
      Statement: [
        {
          Sid: "Nobody",
          Effect: "Deny",
          Action: "*",
          Resource: "*",
          Condition: { StringEquals: { "credentials-iot:AwsCertificateId": ["none"] } },
        },
      ],
    },
  });
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
    count(t, template, "AWS::Athena::NamedQuery", {}, 3);
    has(t, template, "AWS::Athena::NamedQuery", {
      Name: "lines",
      QueryString: Match.stringLikeRegexp("raw_readings"),
    });
    has(t, template, "AWS::Athena::NamedQuery", {
      Name: "latest",
      Description: "The latest value per turbine.",
      Database: "windfarm",
      WorkGroup: "windfarm",
      QueryString: Match.stringLikeRegexp("SELECT \\* FROM readings"),
    });
  },
);

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
    "windfarm-dev.succeeded",
    "windfarm-dev.failed",
    "Missing",
    "SecondsBehind",
    "SilentGateways",
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
