/** IAM statements that more than one role needs, each as narrow as the service allows. */

import { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { IConstruct } from "constructs";

/** The objects of these folders of a bucket, as ARNs. */
export function objectsIn(bucket: IBucket, folders: readonly string[]): string[] {
  return folders.map((folder) => bucket.arnForObjects(`${folder}/*`));
}

/** Sees which objects lie in a bucket, as its clients do before they read or write. */
export function list(bucket: IBucket): PolicyStatement {
  return new PolicyStatement({
    actions: ["s3:GetBucketLocation", "s3:ListBucket"],
    resources: [bucket.bucketArn],
  });
}

/** Sees which uploads in parts are unfinished, as whoever writes large objects must to end those of its own that failed. */
export function listUploads(bucket: IBucket): PolicyStatement {
  return new PolicyStatement({ actions: ["s3:ListBucketMultipartUploads"], resources: [bucket.bucketArn] });
}

/** Does `actions` to the objects of these folders of a bucket. */
export function onObjects(
  bucket: IBucket,
  folders: readonly string[],
  actions: readonly string[],
): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources: objectsIn(bucket, folders) });
}

/** Uses the key for objects of these buckets, through S3 only: S3 puts the bucket's ARN into the encryption context. */
export function useKeyForObjects(
  key: IKey,
  buckets: readonly IBucket[],
  actions: readonly string[],
): PolicyStatement {
  return new PolicyStatement({
    actions: [...actions],
    resources: [key.keyArn],
    conditions: {
      StringEquals: { "kms:ViaService": `s3.${Stack.of(key).region}.amazonaws.com` },
      StringLike: {
        "kms:EncryptionContext:aws:s3:arn": buckets.flatMap((bucket) => [
          bucket.bucketArn,
          bucket.arnForObjects("*"),
        ]),
      },
    },
  });
}

/** Log groups of Glue's crawlers, as an ARN; Glue puts the rest of their names together itself. */
export function crawlerLogs(scope: IConstruct): string {
  return Stack.of(scope).formatArn({ service: "logs", resource: "log-group:/aws-glue/crawlers*" });
}

/** Makes the log groups of crawlers, under the key of the security configuration, and writes into them. */
export function writeCrawlerLogs(scope: IConstruct): PolicyStatement {
  return new PolicyStatement({
    actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"],
    resources: [crawlerLogs(scope)],
  });
}

/** A job or crawler with a security configuration asks what it says; this can't be narrowed to one. */
export function readSecurityConfiguration(): PolicyStatement {
  return new PolicyStatement({ actions: ["glue:GetSecurityConfiguration"], resources: ["*"] });
}
