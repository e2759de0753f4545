/**
 * Lets someone ask, on Athena's console and from anywhere else. The console looks round before it asks: which
 * workgroups, engines, data sources, databases and tables there are. Looking shows names and columns; rows are read
 * with the statements on S3 and the key, and those open the curated table and results of queries alone.
 */

import { Stack } from "aws-cdk-lib";
import { ManagedPolicy, PolicyDocument, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { Layout } from "../layout.ts";
import { type StageSettings, WORKGROUP } from "../settings.ts";
import { list, listUploads, objectsIn, onObjects, useKeyForObjects } from "./access.ts";
import { acknowledgeWildcards } from "./acknowledge.ts";
import type { Catalog } from "./catalog.ts";
import { RESULTS_FOLDER } from "./data-stack.ts";

export interface AnalystPolicyProps {
  settings: StageSettings;
  layout: Layout;
  catalog: Catalog;
  lake: IBucket;
  key: IKey;
}

/** Athena's name of the account's own Data Catalog. */
const OWN_CATALOG = "AwsDataCatalog";

/** A policy to attach to people or to their role. */
export function analystPolicy(scope: Construct, id: string, props: AnalystPolicyProps): ManagedPolicy {
  const { settings, layout, catalog, lake, key } = props;
  const policy = new ManagedPolicy(scope, id, {
    managedPolicyName: `windfarm-${settings.stage}-analyst`,
    description:
      "May ask questions to the curated table through its workgroup; attach it to people or their role",
    document: new PolicyDocument({
      statements: [
        ...askAthena(scope),
        ...lookIntoCatalog(layout, catalog),
        list(lake),
        listUploads(lake),
        onObjects(lake, [layout.curatedFolder], ["s3:GetObject"]),
        onObjects(
          lake,
          [RESULTS_FOLDER],
          ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        ),
        useKeyForObjects(key, [lake], ["kms:Decrypt", "kms:GenerateDataKey"]),
      ],
    }),
  });
  acknowledgeWildcards(
    policy,
    objectsIn(lake, [layout.curatedFolder, RESULTS_FOLDER]),
    "An analyst may read the whole curated table, and Athena names the results of queries itself.",
  );
  acknowledgeWildcards(
    policy,
    ["*"],
    "Athena's lists of workgroups, engine versions and data sources know no resources; they give names only.",
  );
  acknowledgeWildcards(
    policy,
    [catalog.arn("database/*"), catalog.arn(`table/${layout.database}/*`)],
    "Glue lists databases, and the tables of one, only to those who may see each; rows stay closed with their objects.",
  );
  return policy;
}

function askAthena(scope: Construct): PolicyStatement[] {
  const athena = (resource: string): string => Stack.of(scope).formatArn({ service: "athena", resource });
  return [
    new PolicyStatement({
      actions: ["athena:ListWorkGroups", "athena:ListEngineVersions", "athena:ListDataCatalogs"],
      resources: ["*"],
    }),
    new PolicyStatement({
      actions: [
        "athena:GetDataCatalog",
        "athena:ListDatabases",
        "athena:GetDatabase",
        "athena:ListTableMetadata",
        "athena:GetTableMetadata",
      ],
      resources: [athena(`datacatalog/${OWN_CATALOG}`)],
    }),
    new PolicyStatement({
      actions: [
        "athena:StartQueryExecution",
        "athena:StopQueryExecution",
        "athena:GetQueryExecution",
        "athena:BatchGetQueryExecution",
        "athena:GetQueryResults",
        "athena:GetQueryResultsStream",
        "athena:GetQueryRuntimeStatistics",
        "athena:ListQueryExecutions",
        "athena:ListNamedQueries",
        "athena:GetNamedQuery",
        "athena:BatchGetNamedQuery",
        "athena:GetWorkGroup",
      ],
      resources: [athena(`workgroup/${WORKGROUP}`)],
    }),
  ];
}

function lookIntoCatalog(layout: Layout, catalog: Catalog): PolicyStatement[] {
  const whole = catalog.arn("catalog");
  const { database, table } = layout;
  return [
    // Athena asks for the database "default" before anything else, whatever the query is about.
    new PolicyStatement({
      actions: ["glue:GetDatabase"],
      resources: [whole, catalog.arn("database/default"), catalog.arn(`database/${database}`)],
    }),
    new PolicyStatement({ actions: ["glue:GetDatabases"], resources: [whole, catalog.arn("database/*")] }),
    new PolicyStatement({
      actions: ["glue:GetTables"],
      resources: [whole, catalog.arn(`database/${database}`), catalog.arn(`table/${database}/*`)],
    }),
    new PolicyStatement({
      actions: ["glue:GetTable", "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"],
      resources: catalog.arns(table),
    }),
  ];
}
