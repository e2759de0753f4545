/** What holds data can't be lost by a deployment, and nobody but its users gets in. */

import { Match } from "aws-cdk-lib/assertions";
import t from "tap";
import { z } from "zod";
import { settingsOf } from "../../../cloud/settings.ts";
import { build, writeSources } from "./build.ts";
import { all, count, has } from "./has.ts";

const sources = writeSources(t.testdir());
const { data, dataTemplate } = build("prod", sources);
const dev = build("dev", sources);

const Resource = z.looseObject({
  Type: z.string(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
const resources = z.record(z.string(), Resource).parse(dataTemplate.toJSON().Resources);

t.test("nothing is deleted with the stack, nor when a change replaces it", async (t) => {
  for (const [name, resource] of Object.entries(resources)) {
    t.equal(resource.DeletionPolicy, "Retain", `${name} stays`);
    t.equal(resource.UpdateReplacePolicy, "Retain", `${name} stays when replaced`);
  }
});

t.test("the stack itself is protected in every stage", async (t) => {
  t.equal(data.terminationProtection, true);
  t.equal(dev.data.terminationProtection, true);
});

const DATA = ["AWS::KMS::Key", "AWS::Kinesis::Stream", "AWS::S3::Bucket", "AWS::Glue::Database"];

t.test("what holds data keeps its logical id", async (t) => {
  const pinned = Object.entries(resources)
    .filter(([, { Type }]) => DATA.includes(Type))
    .map(([name, { Type }]) => `${name} ${Type}`);
  t.same(pinned.sort(), [
    "AccessLogs AWS::S3::Bucket",
    "Database AWS::Glue::Database",
    "Key AWS::KMS::Key",
    "LakeBucket AWS::S3::Bucket",
    "RawBucket AWS::S3::Bucket",
    "Stream AWS::Kinesis::Stream",
  ]);
});

t.test("one rotated key encrypts the stream and both buckets", async (t) => {
  const key = { "Fn::GetAtt": ["Key", "Arn"] };
  has(t, dataTemplate, "AWS::KMS::Key", { EnableKeyRotation: true });
  has(t, dataTemplate, "AWS::Kinesis::Stream", {
    StreamEncryption: { EncryptionType: "KMS", KeyId: key },
  });
  count(
    t,
    dataTemplate,
    "AWS::S3::Bucket",
    {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: key },
          },
        ],
      },
      VersioningConfiguration: { Status: "Enabled" },
      LoggingConfiguration: Match.objectLike({ DestinationBucketName: { Ref: "AccessLogs" } }),
    },
    2,
  );
});

t.test("CloudWatch Logs may do with the key what it asks for, for Glue's log groups alone", async (t) => {
  has(t, dataTemplate, "AWS::KMS::Key", {
    KeyPolicy: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Principal: { Service: "logs.us-east-1.amazonaws.com" },
          Action: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
          Condition: { ArnLike: { "kms:EncryptionContext:aws:logs:arn": Match.anyValue() } },
        }),
      ]),
    },
  });
});

t.test("no bucket is public, and none speaks plain HTTP or old TLS", async (t) => {
  const closed = {
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  };
  all(t, dataTemplate, "AWS::S3::Bucket", { PublicAccessBlockConfiguration: closed });
  const denied = (condition: object) =>
    Match.objectLike({ Effect: "Deny", Action: "s3:*", Principal: { AWS: "*" }, Condition: condition });
  count(t, dataTemplate, "AWS::S3::BucketPolicy", {}, 3);
  all(t, dataTemplate, "AWS::S3::BucketPolicy", {
    PolicyDocument: {
      Statement: Match.arrayWith([
        denied({ Bool: { "aws:SecureTransport": "false" } }),
        denied({ NumericLessThan: { "s3:TlsVersion": 1.2 } }),
      ]),
    },
  });
});

t.test("raw readings get colder and never expire: the lake can be made anew from them", async (t) => {
  const Rules = z.array(z.looseObject({ Id: z.string(), ExpirationInDays: z.number().optional() }));
  const raw = resources.RawBucket;
  const Properties = z.looseObject({ LifecycleConfiguration: z.object({ Rules }) });
  const rules = Properties.parse(raw?.Properties).LifecycleConfiguration.Rules;
  t.same(
    rules.filter(({ ExpirationInDays }) => ExpirationInDays !== undefined),
    [],
  );
  t.match(rules, [
    {},
    {},
    { Prefix: "readings/", Transitions: [{ StorageClass: "GLACIER_IR", TransitionInDays: 90 }] },
  ]);
});

t.test(
  "of the lake only results expire, and not as older versions; the tables' files are the job's to remove",
  async (t) => {
    const gone = { NoncurrentVersionExpiration: { NoncurrentDays: 1 } };
    has(t, dataTemplate, "AWS::S3::Bucket", {
      LifecycleConfiguration: {
        Rules: [
          Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }),
          Match.objectLike({
            NoncurrentVersionExpiration: { NoncurrentDays: settingsOf("prod").lake.undeleteDays },
          }),
          Match.objectLike({ Prefix: "query-results/", ExpirationInDays: 30, ...gone }),
        ],
      },
    });
  },
);

t.test("the stages differ in capacity and retention", async (t) => {
  const stream = (shards: number, hours: number) => ({
    Name: "windfarm-readings",
    ShardCount: shards,
    RetentionPeriodHours: hours,
  });
  has(t, dataTemplate, "AWS::Kinesis::Stream", stream(2, 168));
  has(t, dev.dataTemplate, "AWS::Kinesis::Stream", stream(1, 24));
});
