/**
 * What holds data: the key, the stream, the raw readings, the lake, and the catalog's database, which knows where the
 * lake's tables stand. It outlives everything: nothing in it is deleted
 * with the stack, the stack itself is protected, and the logical ids are pinned.
 */

import { CfnResource, Duration, RemovalPolicy, Stack, type StackProps, Validations } from "aws-cdk-lib";
import { CfnDatabase } from "aws-cdk-lib/aws-glue";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Stream, StreamEncryption, StreamMode } from "aws-cdk-lib/aws-kinesis";
import { Key } from "aws-cdk-lib/aws-kms";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  CfnBucket,
  type IBucket,
  type LifecycleRule,
  ObjectOwnership,
  StorageClass,
} from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { LAYOUT } from "../layout.ts";
import type { StageSettings, StreamCapacity } from "../settings.ts";
import { acknowledge } from "./acknowledge.ts";
import { pin } from "./pin.ts";

export interface DataStackProps extends StackProps {
  settings: StageSettings;
}

/** Where the job keeps the Iceberg tables in the lake bucket, each in a folder of its name. */
export const CURATED_FOLDER = "curated";
/** Where Athena writes results in the lake bucket. */
export const RESULTS_FOLDER = "query-results";

/** Unfinished uploads are billed and never seen. */
const ABANDONED_UPLOAD = Duration.days(7);
const ACCESS_LOG_DAYS = 90;
/**
 * In a versioned bucket what expires is hidden and kept as an older version. Results are not to be kept: they can be had
 * by asking again. Of two rules S3 follows the one that ends sooner.
 */
const GONE = Duration.days(1);

export class DataStack extends Stack {
  readonly key: Key;
  readonly stream: Stream;
  readonly raw: Bucket;
  readonly lake: Bucket;
  readonly #settings: StageSettings;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, { ...props, terminationProtection: true });
    this.#settings = props.settings;
    this.key = this.#key();
    this.stream = this.#stream();
    const accessLogs = Bucket.fromBucketName(this, "AccessLogsByName", this.#accessLogs().bucketName);
    this.raw = this.#bucket("RawBucket", accessLogs, this.#rawRules());
    tellOfObjects(this.raw);
    this.lake = this.#bucket("LakeBucket", accessLogs, this.#lakeRules());
    this.#database();
    this.#retainAll();
  }

  /** The tables in it are the job's and the pipeline's. A database that goes takes its tables' pointers with it. */
  #database(): void {
    const database = new CfnDatabase(this, "Database", {
      catalogId: this.account,
      databaseInput: { name: this.#settings.names.database, description: "Readings of the wind farm" },
    });
    database.overrideLogicalId("Database");
  }

  /** Also what the library adds by itself: a bucket that stays shall keep its policy. */
  #retainAll(): void {
    for (const construct of this.node.findAll()) {
      if (CfnResource.isCfnResource(construct)) construct.applyRemovalPolicy(RemovalPolicy.RETAIN);
    }
  }

  #key(): Key {
    const key = new Key(this, "Key", {
      alias: this.#settings.names.farm,
      description: "Readings of the wind farm, in the stream, in the buckets, in query results",
      enableKeyRotation: true,
    });
    pin(key, "Key");
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: "LogsOfJobsAndCrawler",
        principals: [new ServicePrincipal(`logs.${this.region}.amazonaws.com`)],
        // What CloudWatch Logs asks for in its documentation; it writes anew under a rotated key.
        actions: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        resources: ["*"],
        conditions: {
          ArnLike: {
            "kms:EncryptionContext:aws:logs:arn": this.formatArn({
              service: "logs",
              resource: "log-group:/aws-glue/*",
            }),
          },
        },
      }),
    );
    return key;
  }

  #stream(): Stream {
    const { capacity, retentionHours } = this.#settings.stream;
    const stream = new Stream(this, "Stream", {
      streamName: this.#settings.names.stream,
      ...capacityProps(capacity),
      retentionPeriod: Duration.hours(retentionHours),
      encryption: StreamEncryption.KMS,
      encryptionKey: this.key,
    });
    pin(stream, "Stream");
    acknowledge(
      stream,
      ["KDS3"],
      "One customer-managed key covers stream, buckets and results, so that revoking it closes them all; records hold some 50 KiB, which keeps the number of calls to KMS and their cost small.",
    );
    return stream;
  }

  #accessLogs(): Bucket {
    const bucket = new Bucket(this, "AccessLogs", {
      ...CLOSED,
      // Log delivery writes only where S3's own keys encrypt.
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ id: "expire", expiration: Duration.days(ACCESS_LOG_DAYS) }],
    });
    pin(bucket, "AccessLogs");
    bucket.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("logging.s3.amazonaws.com")],
        actions: ["s3:PutObject"],
        resources: [bucket.arnForObjects("*")],
        conditions: { StringEquals: { "aws:SourceAccount": this.account } },
      }),
    );
    acknowledge(bucket, ["S1"], "It is the bucket that access logs go to; logging its own would never end.");
    return bucket;
  }

  #bucket(id: string, accessLogs: IBucket, lifecycleRules: LifecycleRule[]): Bucket {
    const bucket = new Bucket(this, id, {
      ...CLOSED,
      versioned: true,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      // A data key a bucket and while instead of one an object: some hundredth of the calls to KMS.
      bucketKeyEnabled: true,
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: `${id}/`,
      lifecycleRules: [
        { id: "unfinished-uploads", abortIncompleteMultipartUploadAfter: ABANDONED_UPLOAD },
        {
          id: "undelete",
          noncurrentVersionExpiration: Duration.days(this.#settings.lake.undeleteDays),
          expiredObjectDeleteMarker: true,
        },
        ...lifecycleRules,
      ],
    });
    pin(bucket, id);
    Validations.of(bucket).acknowledge({
      id: "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded",
      reason: "The policy of the bucket for access logs is written by hand.",
    });
    return bucket;
  }

  /**
   * Raw readings never expire: they are the record of what arrived, and the lake can be made anew from them. S3 moves no
   * object below 128 KB to a colder class: those of a small farm stay where they are.
   */
  #rawRules(): LifecycleRule[] {
    const { raw } = this.#settings;
    return [
      {
        id: "colder",
        prefix: `${LAYOUT.rawFolder}/`,
        transitions: [
          {
            storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL,
            transitionAfter: Duration.days(raw.coldAfterDays),
          },
        ],
      },
    ];
  }

  #lakeRules(): LifecycleRule[] {
    const { lake } = this.#settings;
    return [
      {
        id: "results",
        prefix: `${RESULTS_FOLDER}/`,
        expiration: Duration.days(lake.resultsDays),
        noncurrentVersionExpiration: GONE,
      },
    ];
  }
}

/** Tells EventBridge of new objects. The library's own switch would bring a Lambda that may change any bucket. */
function tellOfObjects(bucket: Bucket): void {
  const resource = bucket.node.defaultChild;
  if (!(resource instanceof CfnBucket)) return;
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}

const CLOSED: BucketProps = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
};

function capacityProps(capacity: StreamCapacity) {
  return capacity.mode === "on-demand"
    ? { streamMode: StreamMode.ON_DEMAND }
    : { streamMode: StreamMode.PROVISIONED, shardCount: capacity.shards };
}
