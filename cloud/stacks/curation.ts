/** Raw objects → the curated table: the Glue job, its schedule, and the count of its runs. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CfnJob, type CfnSecurityConfiguration, CfnTrigger } from "aws-cdk-lib/aws-glue";
import { PolicyStatement, type Role } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";
import { type Layout, layoutForJob } from "../layout.ts";
import type { StageSettings } from "../settings.ts";
import type { Sources } from "../sources.ts";
import { inLayout } from "../sql/in-layout.ts";
import { writeConversion } from "../sql/read.ts";
import { glueBasics, glueLogs, list, listUploads, objectsIn, onObjects, useKeyForObjects } from "./access.ts";
import { acknowledgeWildcards } from "./acknowledge.ts";
import type { Catalog } from "./catalog.ts";
import { SUPERSEDED_TAG, TMP_FOLDER } from "./data-stack.ts";
import { GLUE_LOGS, SECURITY_CONFIGURATIONS } from "./reasons.ts";
import { serviceRole } from "./roles.ts";

export interface CurationProps {
  settings: StageSettings;
  layout: Layout;
  sources: Sources;
  catalog: Catalog;
  raw: IBucket;
  lake: IBucket;
  key: IKey;
  security: CfnSecurityConfiguration;
}

/** Two runs at once do no harm (a range by hand beside the hourly one), more are a mistake. */
const RUNS_AT_ONCE = 2;

export class Curation extends Construct {
  readonly job: CfnJob;
  readonly #props: CurationProps;

  constructor(scope: Construct, id: string, props: CurationProps) {
    super(scope, id);
    this.#props = props;
    const { settings, layout, sources, security } = props;
    const script = new Asset(this, "Script", { path: sources.script });
    const sql = this.#texts(sources.sql, layout);
    const modules = new Asset(this, "Modules", {
      path: sources.modules,
      exclude: ["curate.py", "**/__pycache__"],
    });
    const role = this.#role([script, modules, sql]);
    this.job = new CfnJob(this, "Job", {
      name: `windfarm-${settings.stage}-curate`,
      description: "Recomputes the days that new raw readings touched; --from and --to recompute a range",
      role: role.roleArn,
      glueVersion: "5.1",
      command: { name: "glueetl", pythonVersion: "3", scriptLocation: script.s3ObjectUrl },
      executionClass: "FLEX",
      workerType: "G.1X",
      numberOfWorkers: settings.curation.workers,
      timeout: settings.curation.timeoutMinutes,
      maxRetries: 1,
      executionProperty: { maxConcurrentRuns: RUNS_AT_ONCE },
      securityConfiguration: security.ref,
      defaultArguments: this.#arguments(modules, sql),
    });
    new CfnTrigger(this, "Schedule", {
      name: `windfarm-${settings.stage}-curate`,
      description: "Keeps the lake up with the raw readings",
      type: "SCHEDULED",
      schedule: settings.curation.schedule,
      startOnCreation: true,
      actions: [{ jobName: this.job.ref }],
    });
  }

  /** The job reads the same texts as the local lake; the named queries are none of its business. */
  #texts(folder: string, layout: Layout): Asset {
    const exclude = ["queries", "queries/**", "*.ts"];
    const texts = readdirSync(folder).filter((name) => name.endsWith(".sql"));
    const asTheyStand = texts.every((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      return inLayout(text, layout) === text;
    });
    if (asTheyStand) return new Asset(this, "Sql", { path: folder, exclude });
    const written = mkdtempSync(join(tmpdir(), "windfarm-sql-"));
    try {
      writeConversion(folder, written, layout);
      return new Asset(this, "Sql", { path: written });
    } finally {
      rmSync(written, { recursive: true });
    }
  }

  #arguments(modules: Asset, sql: Asset): Record<string, string> {
    const { layout, raw, lake, settings } = this.#props;
    const { region } = settings;
    const names = Object.entries(layoutForJob(layout)).map(([key, value]) => [`--${key}`, value]);
    return {
      ...Object.fromEntries(names),
      "--raw": raw.s3UrlForObject(),
      "--lake": lake.s3UrlForObject(),
      "--sql": sql.s3ObjectUrl,
      "--extra-py-files": modules.s3ObjectUrl,
      "--superseded_tag": `${SUPERSEDED_TAG.key}=${SUPERSEDED_TAG.value}`,
      "--TempDir": lake.s3UrlForObject(`${TMP_FOLDER}/`),
      // Glue 5.1 writes by S3A, which else looks for the buckets in a region of its own choice.
      "--conf": `spark.hadoop.fs.s3a.endpoint.region=${region}`,
      "--job-bookmark-option": "job-bookmark-disable",
      "--enable-continuous-cloudwatch-log": "true",
    };
  }

  #role(assets: readonly Asset[]): Role {
    const { layout, catalog, raw, lake, key } = this.#props;
    const written = [layout.curatedFolder, layout.rejectsFolder, layout.indexFolder, TMP_FOLDER];
    const role = serviceRole(this, "Role", {
      service: "glue.amazonaws.com",
      description: "Reads raw objects, writes the lake, points the table's days at what it wrote",
      statements: [
        list(raw),
        onObjects(raw, [layout.rawFolder], ["s3:GetObject"]),
        list(lake),
        listUploads(lake),
        onObjects(lake, written, [
          "s3:GetObject",
          "s3:PutObject",
          "s3:DeleteObject",
          "s3:AbortMultipartUpload",
          "s3:ListMultipartUploadParts",
        ]),
        onObjects(lake, [layout.curatedFolder], ["s3:PutObjectTagging"]),
        useKeyForObjects(key, [raw, lake], ["kms:Decrypt", "kms:GenerateDataKey"]),
        new PolicyStatement({
          actions: ["s3:GetObject"],
          resources: assets.map((asset) => asset.bucket.arnForObjects(asset.s3ObjectKey)),
        }),
        new PolicyStatement({
          actions: [
            "glue:GetTable",
            "glue:GetPartition",
            "glue:GetPartitions",
            "glue:BatchCreatePartition",
            "glue:CreatePartition",
            "glue:UpdatePartition",
            "glue:BatchUpdatePartition",
          ],
          resources: catalog.arns(layout.table),
        }),
        ...glueBasics(this, "jobs"),
      ],
    });
    acknowledgeWildcards(
      role,
      [...objectsIn(raw, [layout.rawFolder]), ...objectsIn(lake, written)],
      "Objects are named by hour, day and version; it reads raw ones and writes these folders of the lake only.",
    );
    acknowledgeWildcards(role, [glueLogs(this, "jobs")], GLUE_LOGS);
    acknowledgeWildcards(role, ["*"], SECURITY_CONFIGURATIONS);
    return role;
  }
}
