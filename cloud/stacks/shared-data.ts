/**
 * What the data stack lends to others, by exports with names of our own: they don't change with the construct library,
 * and CloudFormation refuses to let go of what another stack still uses.
 */

import { type IStream, Stream } from "aws-cdk-lib/aws-kinesis";
import { type IKey, Key } from "aws-cdk-lib/aws-kms";
import { Bucket, type IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { DataStack } from "./data-stack.ts";

export class SharedData extends Construct {
  readonly key: IKey;
  readonly stream: IStream;
  readonly raw: IBucket;
  readonly lake: IBucket;

  constructor(scope: Construct, id: string, data: DataStack) {
    super(scope, id);
    const lend = (name: string, value: string, description: string): string =>
      data.exportValue(value, { name: `${data.stackName}-${name}`, description });
    const { key, stream, raw, lake } = data;
    this.key = Key.fromKeyArn(
      this,
      "Key",
      lend("KeyArn", key.keyArn, "Encrypts stream, buckets and results"),
    );
    this.stream = Stream.fromStreamArn(
      this,
      "Stream",
      lend("StreamArn", stream.streamArn, "Where gateways put"),
    );
    this.raw = Bucket.fromBucketName(
      this,
      "Raw",
      lend("RawBucket", raw.bucketName, "Readings as they arrived"),
    );
    this.lake = Bucket.fromBucketName(
      this,
      "Lake",
      lend("LakeBucket", lake.bucketName, "The curated table, rejects, query results"),
    );
  }
}
