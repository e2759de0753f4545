/**
 * The crawler adds the hours that arrived to the raw table, which lets analysts ask what came as it came: duplicates,
 * foreign lines, what is not in the lake yet. The job does not read that table but the objects: it must know which
 * objects it has loaded, and can't wait a day for an hour to be added.
 * The table's columns are ours and stay as they are: a
 * crawler that guessed would make a number of a column as soon as one day held nothing else.
 *
 * It lists all raw objects with every run, and raw never expires: some 100 000 more a year where Firehose writes every
 * five minutes. Ten minutes a run are billed anyway, so this costs nothing more until a run takes longer; docs/cloud.md
 * says how to see that. Led by S3's events it would list new hours only, at the price of a queue that the raw bucket
 * and this stack would both hang on, and of hours that are missed for good with a lost event.
 */

import { CfnCrawler, type CfnSecurityConfiguration } from "aws-cdk-lib/aws-glue";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { LAYOUT } from "../layout.ts";
import type { StageSettings } from "../settings.ts";
import {
  crawlerLogs,
  list,
  objectsIn,
  onObjects,
  readSecurityConfiguration,
  useKeyForObjects,
  writeCrawlerLogs,
} from "./access.ts";
import { acknowledgeWildcards } from "./acknowledge.ts";
import type { Catalog } from "./catalog.ts";
import { GLUE_LOGS, SECURITY_CONFIGURATIONS } from "./reasons.ts";
import { serviceRole } from "./roles.ts";

export interface CrawlProps {
  settings: StageSettings;
  catalog: Catalog;
  raw: IBucket;
  key: IKey;
  security: CfnSecurityConfiguration;
}

export class Crawl extends Construct {
  constructor(scope: Construct, id: string, props: CrawlProps) {
    super(scope, id);
    const { settings, catalog, raw, key, security } = props;
    const folders = [LAYOUT.rawFolder];
    const role = serviceRole(this, "Role", {
      service: "glue.amazonaws.com",
      description: "Looks for new raw hours and adds them to the raw table",
      statements: [
        new PolicyStatement({
          actions: [
            "glue:GetDatabase",
            "glue:GetTable",
            "glue:UpdateTable",
            "glue:GetPartition",
            "glue:GetPartitions",
            "glue:BatchGetPartition",
            "glue:CreatePartition",
            "glue:BatchCreatePartition",
            "glue:UpdatePartition",
            "glue:BatchUpdatePartition",
          ],
          resources: catalog.arns([LAYOUT.rawTable]),
        }),
        list(raw),
        onObjects(raw, folders, ["s3:GetObject"]),
        useKeyForObjects(key, [raw], ["kms:Decrypt"]),
        writeCrawlerLogs(this),
        readSecurityConfiguration(),
      ],
    });
    acknowledgeWildcards(role, objectsIn(raw, folders), "It looks at all raw objects and at nothing else.");
    acknowledgeWildcards(role, [crawlerLogs(this)], GLUE_LOGS);
    acknowledgeWildcards(role, ["*"], SECURITY_CONFIGURATIONS);

    const crawler = new CfnCrawler(this, "Crawler", {
      name: `${settings.names.farm}-raw`,
      description: "Adds the raw hours that arrived",
      role: role.roleArn,
      databaseName: catalog.database,
      targets: { catalogTargets: [{ databaseName: catalog.database, tables: [LAYOUT.rawTable] }] },
      schedule: { scheduleExpression: settings.crawlSchedule },
      // A table of the catalog as target wants deletions logged only.
      schemaChangePolicy: { updateBehavior: "LOG", deleteBehavior: "LOG" },
      configuration: JSON.stringify({
        Version: 1,
        CrawlerOutput: { Partitions: { AddOrUpdateBehavior: "InheritFromTable" } },
        // Or hours whose lines look different become tables of their own.
        Grouping: { TableGroupingPolicy: "CombineCompatibleSchemas" },
      }),
      crawlerSecurityConfiguration: security.ref,
    });
    crawler.addResourceDependency(catalog.rawTable);
  }
}
