/** Where analysts ask: a workgroup with its cut-off, the named queries, and the policy that lets someone in. */

import { Stack } from "aws-cdk-lib";
import { CfnNamedQuery, CfnWorkGroup } from "aws-cdk-lib/aws-athena";
import type { ManagedPolicy } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { Layout } from "../layout.ts";
import { type StageSettings, WORKGROUP } from "../settings.ts";
import type { Sources } from "../sources.ts";
import { namedQueries } from "../sql/read.ts";
import { analystPolicy } from "./analyst-policy.ts";
import type { Catalog } from "./catalog.ts";
import { RESULTS_FOLDER } from "./data-stack.ts";

export interface QueriesProps {
  settings: StageSettings;
  layout: Layout;
  sources: Sources;
  catalog: Catalog;
  lake: IBucket;
  key: IKey;
}

/** Longest description CloudFormation takes. */
const DESCRIPTION_LENGTH = 1024;

export class Queries extends Construct {
  readonly workGroup: CfnWorkGroup;
  readonly analystPolicy: ManagedPolicy;

  constructor(scope: Construct, id: string, props: QueriesProps) {
    super(scope, id);
    const { settings, layout, sources, catalog, lake, key } = props;
    this.workGroup = new CfnWorkGroup(this, "WorkGroup", {
      name: WORKGROUP,
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
    for (const { name, description, sql } of namedQueries(sources.sql, layout)) {
      const query = new CfnNamedQuery(this, `Query-${name}`, {
        name,
        description: description.replaceAll("\n", " ").slice(0, DESCRIPTION_LENGTH),
        database: layout.database,
        queryString: sql,
        workGroup: this.workGroup.name,
      });
      query.addResourceDependency(this.workGroup);
      query.addResourceDependency(catalog.curatedTable);
    }
    this.analystPolicy = analystPolicy(this, "Analyst", props);
  }
}
