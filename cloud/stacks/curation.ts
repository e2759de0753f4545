/** Raw objects → the curated tables: the Glue job, its logs and its schedule. */

import { CfnJob, type CfnSecurityConfiguration, CfnTrigger } from "aws-cdk-lib/aws-glue";
import { PolicyStatement, type Role } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { LAYOUT, layoutForJob } from "../layout.ts";
import type { StageSettings } from "../settings.ts";
import type { Sources } from "../sources.ts";
import {
  list,
  listUploads,
  objectsIn,
  onObjects,
  readSecurityConfiguration,
  useKeyForObjects,
} from "./access.ts";
import { acknowledge, acknowledgeWildcards } from "./acknowledge.ts";
import { type Catalog, CURATED_TABLES } from "./catalog.ts";
import { CURATED_FOLDER } from "./data-stack.ts";
import { logGroupProps } from "./logs.ts";
import { NAMESPACE } from "./metrics.ts";
import { SECURITY_CONFIGURATIONS } from "./reasons.ts";
import { serviceRole } from "./roles.ts";

export interface CurationProps {
  settings: StageSettings;
  sources: Sources;
  catalog: Catalog;
  raw: IBucket;
  lake: IBucket;
  key: IKey;
  security: CfnSecurityConfiguration;
  /** Where the names of gateways go that fall silent or come back. */
  topic: ITopic;
}

/** Two runs at once do no harm (a range by hand beside the hourly one), more are a mistake. */
const RUNS_AT_ONCE = 2;
/** Glue tries again by itself: Flex may find no capacity. */
export const RETRIES = 1;
/** A run that finds more than it can do stops with what it has, ready for the next, this long before its timeout, minutes. */
const STOPS_BEFORE = 10;

export class Curation extends Construct {
  readonly job: CfnJob;
  readonly #props: CurationProps;

  constructor(scope: Construct, id: string, props: CurationProps) {
    super(scope, id);
    this.#props = props;
    const { settings, sources, security } = props;
    const { farm } = settings.names;
    const script = new Asset(this, "Script", { path: sources.script });
    const sql = new Asset(this, "Sql", { path: sources.sql, exclude: ["*.ts"] });
    const modules = new Asset(this, "Modules", {
      path: sources.modules,
      exclude: ["curate.py", "**/__pycache__"],
    });
    const logs = this.#logs();
    this.job = new CfnJob(this, "Job", {
      name: `${farm}-curate`,
      description: "Loads new raw objects into the lake; --from and --to load days of arrival again",
      role: this.#role([script, modules, sql], logs).roleArn,
      glueVersion: "5.1",
      command: { name: "glueetl", pythonVersion: "3", scriptLocation: script.s3ObjectUrl },
      executionClass: "FLEX",
      workerType: "G.1X",
      numberOfWorkers: settings.curation.workers,
      timeout: settings.curation.timeoutMinutes,
      maxRetries: RETRIES,
      executionProperty: { maxConcurrentRuns: RUNS_AT_ONCE },
      securityConfiguration: security.ref,
      defaultArguments: this.#arguments(modules, sql),
    });
    acknowledge(this.job, ["GL1"], OWN_LOGS);
    new CfnTrigger(this, "Schedule", {
      name: `${farm}-curate`,
      description: "Keeps the lake up with the raw readings",
      type: "SCHEDULED",
      schedule: settings.curation.schedule,
      startOnCreation: true,
      actions: [{ jobName: this.job.ref }],
    });
  }

  /** Glue would make these itself, under names of its own and to be kept for ever. */
  #logs(): LogGroup[] {
    const { settings, key } = this.#props;
    return ["error", "output"].map(
      (kind) =>
        new LogGroup(this, `Log-${kind}`, {
          ...logGroupProps(settings, `${logPrefix(settings)}/${kind}`),
          encryptionKey: key,
        }),
    );
  }

  #arguments(modules: Asset, sql: Asset): Record<string, string> {
    const { raw, lake, settings, topic } = this.#props;
    const { names, curation } = settings;
    const layout = Object.entries(layoutForJob()).map(([key, value]) => [`--${key}`, value]);
    return {
      ...Object.fromEntries(layout),
      "--database": names.database,
      "--farm": names.farm,
      "--metrics": NAMESPACE,
      "--topic": topic.topicArn,
      "--stop_after_minutes": String(curation.timeoutMinutes - STOPS_BEFORE),
      "--catalog": "glue",
      "--raw": raw.s3UrlForObject(),
      "--lake": lake.s3UrlForObject(),
      "--sql": sql.s3ObjectUrl,
      "--extra-py-files": modules.s3ObjectUrl,
      "--datalake-formats": "iceberg",
      "--job-bookmark-option": "job-bookmark-disable",
      "--custom-logGroup-prefix": logPrefix(settings),
      // Memory and CPU of driver and workers, which tell an out-of-memory from a slow run.
      "--enable-metrics": "true",
    };
  }

  #role(assets: readonly Asset[], logs: readonly LogGroup[]): Role {
    const { catalog, raw, lake, key, topic } = this.#props;
    const statements = [
      // Finds raw objects and reads them; never writes there.
      list(raw),
      onObjects(raw, [LAYOUT.rawFolder], ["s3:GetObject"]),
      // Writes the tables' files, and removes those that no snapshot needs any more.
      list(lake),
      listUploads(lake),
      onObjects(
        lake,
        [CURATED_FOLDER],
        [
          "s3:GetObject",
          "s3:PutObject",
          "s3:DeleteObject",
          "s3:AbortMultipartUpload",
          "s3:ListMultipartUploadParts",
        ],
      ),
      useKeyForObjects(key, [raw, lake], ["kms:Decrypt", "kms:GenerateDataKey"]),
      // Its own program.
      new PolicyStatement({
        actions: ["s3:GetObject"],
        resources: assets.map((asset) => asset.bucket.arnForObjects(asset.s3ObjectKey)),
      }),
      // Makes its tables, and moves their pointers at each commit. Iceberg has no partitions in the catalog; nothing drops.
      new PolicyStatement({
        actions: [
          "glue:GetDatabase",
          "glue:GetTable",
          "glue:GetTables",
          "glue:CreateTable",
          "glue:UpdateTable",
        ],
        resources: catalog.arns(CURATED_TABLES),
      }),
      // Its own numbers, and Glue's of its memory.
      new PolicyStatement({
        actions: ["cloudwatch:PutMetricData"],
        resources: ["*"],
        conditions: { StringEquals: { "cloudwatch:namespace": [NAMESPACE, "Glue"] } },
      }),
      // The names of gateways that fell silent or came back.
      new PolicyStatement({ actions: ["sns:Publish"], resources: [topic.topicArn] }),
      // Its logs; Glue asks to make the groups before it writes, although they are there.
      new PolicyStatement({
        actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        resources: logs.map(({ logGroupArn }) => logGroupArn),
      }),
      // Which key its files are encrypted with.
      readSecurityConfiguration(),
    ];
    const role = serviceRole(this, "Role", {
      service: "glue.amazonaws.com",
      description: "Reads raw objects, writes the curated tables, tells how it goes",
      statements,
    });
    acknowledgeWildcards(
      role,
      [...objectsIn(raw, [LAYOUT.rawFolder]), ...objectsIn(lake, [CURATED_FOLDER])],
      "Iceberg and Firehose name their objects themselves; it reads raw ones and writes the tables' folder of the lake only.",
    );
    acknowledgeWildcards(
      role,
      logs.map(({ logGroupArn }) => logGroupArn),
      "Every run has log streams of its own.",
    );
    acknowledgeWildcards(
      role,
      ["*"],
      `${SECURITY_CONFIGURATIONS} Metrics know no resources; two namespaces are open to it.`,
    );
    return role;
  }
}

const OWN_LOGS =
  "Logs go to two groups of this stack, encrypted with its key and kept for a while; those that Glue makes by a security configuration it keeps for ever.";

/** Below `/aws-glue/`, where the key's policy lets CloudWatch Logs encrypt. */
function logPrefix({ names }: StageSettings): string {
  return `/aws-glue/${names.farm}`;
}
