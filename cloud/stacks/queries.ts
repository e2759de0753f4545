/** Where analysts ask: a workgroup with its cut-off, the named queries, and the policies that let someone in. */

import { Stack } from "aws-cdk-lib";
import { CfnNamedQuery, CfnWorkGroup } from "aws-cdk-lib/aws-athena";
import type { ManagedPolicy } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { StageSettings } from "../settings.ts";
import type { Sources } from "../sources.ts";
import { namedQueries, rawQueries } from "../sql/read.ts";
import { analystPolicy, linesPolicy } from "./analyst-policy.ts";
import type { Catalog } from "./catalog.ts";
import { RESULTS_FOLDER } from "./data-stack.ts";

export interface QueriesProps {
  settings: StageSettings;
  sources: Sources;
  catalog: Catalog;
  raw: IBucket;
  lake: IBucket;
  key: IKey;
}

/** Longest description CloudFormation takes. */
const DESCRIPTION_LENGTH = 1024;

export class Queries extends Construct {
  readonly workGroup: CfnWorkGroup;
  readonly analystPolicy: ManagedPolicy;
  readonly linesPolicy: ManagedPolicy;

  constructor(scope: Construct, id: string, props: QueriesProps) {
    super(scope, id);
    const { settings, sources, catalog, lake, key } = props;
    this.workGroup = new CfnWorkGroup(this, "WorkGroup", {
      name: settings.names.workGroup,
      description: "Questions to the wind farm's readings",
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: settings.queries.scanCutoffBytes,
        engineVersion: { selectedEngineVersion: "Athena engine version 3" },
        resultConfiguration: {
          outputLocation: lake.s3UrlForObject(`${RESULTS_FOLDER}/`),
          encryptionConfiguration: { encryptionOption: "SSE_KMS", kmsKey: key.keyArn },
          expectedBucketOwner: Stack.of(this).account,
        },
      },
    });
    for (const { name, description, sql } of [...namedQueries(sources.sql), ...rawQueries(sources.sql)]) {
      const query = new CfnNamedQuery(this, `Query-${name}`, {
        name,
        description: description.replaceAll("\n", " ").slice(0, DESCRIPTION_LENGTH),
        database: catalog.database,
        queryString: sql,
        workGroup: this.workGroup.name,
      });
      query.addResourceDependency(this.workGroup);
      query.addResourceDependency(catalog.rawTable);
    }
    this.analystPolicy = analystPolicy(this, "Analyst", props);
    this.linesPolicy = linesPolicy(this, "AnalystLines", props);
  }
}
