/**
 * Stream → raw objects. A record is gzip already, and Firehose writes records one after the other as they are: together
 * they are a valid .gz of many members. Compressing them once more would give an object that only unpacking twice reads.
 *
 * Firehose keeps its place in the stream itself, and a new delivery stream begins at the end of the stream: what its
 * predecessor had not fetched, and what came between the two, never becomes a raw object, although gateways have let
 * go of it. So this one is to be changed in place only. A change of its name, its type or its source replaces it, and
 * so does deleting the stack; docs/cloud.md says how to do either without loss.
 */

import { ArnFormat, Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IStream } from "aws-cdk-lib/aws-kinesis";
import { CfnDeliveryStream } from "aws-cdk-lib/aws-kinesisfirehose";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, LogStream } from "aws-cdk-lib/aws-logs";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { firehoseErrorPrefix, firehosePrefix, LAYOUT } from "../layout.ts";
import type { StageSettings } from "../settings.ts";
import { list, listUploads, objectsIn, onObjects, useKeyForObjects } from "./access.ts";
import { acknowledge, acknowledgeWildcards } from "./acknowledge.ts";
import { logGroupProps } from "./logs.ts";
import { serviceRole } from "./roles.ts";

export interface DeliveryProps {
  settings: StageSettings;
  stream: IStream;
  raw: IBucket;
  key: IKey;
}

export class Delivery extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: DeliveryProps) {
    super(scope, id);
    const { settings, stream, raw, key } = props;
    this.name = settings.names.deliveryStream;
    const folders = [LAYOUT.rawFolder, LAYOUT.errorFolder];
    const logGroup = new LogGroup(
      this,
      "Log",
      logGroupProps(settings, `/windfarm/${settings.names.farm}/delivery`),
    );
    const logStream = new LogStream(this, "LogStream", { logGroup, logStreamName: "raw" });

    // Its trust has no condition on the account: Firehose's documentation shows none, and delivery shall not hang on one.
    const role = serviceRole(this, "Role", {
      service: "firehose.amazonaws.com",
      description: "Reads the stream and writes raw objects",
      statements: [
        ...readStream(stream, key),
        list(raw),
        listUploads(raw),
        onObjects(raw, folders, ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]),
        useKeyForObjects(key, [raw], ["kms:Decrypt", "kms:GenerateDataKey"]),
        new PolicyStatement({
          actions: ["logs:PutLogEvents"],
          resources: [logStreamArn(logGroup, logStream)],
        }),
      ],
    });
    acknowledgeWildcards(
      role,
      objectsIn(raw, folders),
      "Firehose names its objects itself; it may write into these two folders of the raw bucket only.",
    );

    const { intervalSeconds, sizeMiB } = settings.delivery;
    const deliveryStream = new CfnDeliveryStream(this, "DeliveryStream", {
      deliveryStreamName: this.name,
      deliveryStreamType: "KinesisStreamAsSource",
      kinesisStreamSourceConfiguration: { kinesisStreamArn: stream.streamArn, roleArn: role.roleArn },
      extendedS3DestinationConfiguration: {
        bucketArn: raw.bucketArn,
        roleArn: role.roleArn,
        prefix: firehosePrefix(),
        errorOutputPrefix: firehoseErrorPrefix(),
        customTimeZone: "UTC",
        compressionFormat: "UNCOMPRESSED",
        fileExtension: ".gz",
        bufferingHints: { intervalInSeconds: intervalSeconds, sizeInMBs: sizeMiB },
        encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: key.keyArn } },
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: logGroup.logGroupName,
          logStreamName: logStream.logStreamName,
        },
      },
    });
    deliveryStream.overrideLogicalId("DeliveryStream");
    acknowledge(
      deliveryStream,
      ["KDF1"],
      "Records are encrypted in the stream they come from and in the bucket they go to; Firehose allows no key of its own where a stream is the source.",
    );
  }
}

function readStream(stream: IStream, key: IKey): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: [
        "kinesis:DescribeStream",
        "kinesis:GetShardIterator",
        "kinesis:GetRecords",
        "kinesis:ListShards",
      ],
      resources: [stream.streamArn],
    }),
    new PolicyStatement({
      actions: ["kms:Decrypt"],
      resources: [key.keyArn],
      conditions: {
        StringEquals: {
          "kms:ViaService": `kinesis.${Stack.of(key).region}.amazonaws.com`,
          "kms:EncryptionContext:aws:kinesis:arn": stream.streamArn,
        },
      },
    }),
  ];
}

function logStreamArn(group: LogGroup, { logStreamName }: LogStream): string {
  return Stack.of(group).formatArn({
    service: "logs",
    resource: "log-group",
    resourceName: `${group.logGroupName}:log-stream:${logStreamName}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
