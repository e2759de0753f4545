/**
 * Lets someone ask, on Athena's console and from anywhere else. The console looks round before it asks: which
 * workgroups, engines, data sources, databases and tables there are. Looking shows names and columns; rows are read
 * with the statements on S3 and the key, and those open what a policy is for: the lake, or lines as they arrived besides.
 */

import { Stack } from "aws-cdk-lib";
import { ManagedPolicy, PolicyDocument, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { LAYOUT } from "../layout.ts";
import type { StageSettings } from "../settings.ts";
import { list, listUploads, objectsIn, onObjects, useKeyForObjects } from "./access.ts";
import { acknowledgeWildcards } from "./acknowledge.ts";
import type { Catalog } from "./catalog.ts";
import { CURATED_FOLDER, RESULTS_FOLDER } from "./data-stack.ts";

export interface AnalystPolicyProps {
  settings: StageSettings;
  catalog: Catalog;
  raw: IBucket;
  lake: IBucket;
  key: IKey;
}

/** Tables of what became of readings, and of lines that are none, which may hold anything that anybody sent. */
const LAKE_TABLES = ["readings", "deliveries", "gateways"] as const;
const LINE_TABLES = ["rejects"] as const;
/** Athena's name of the account's own Data Catalog. */
const OWN_CATALOG = "AwsDataCatalog";

function foldersOf(tables: readonly string[]): string[] {
  return tables.map((table) => `${CURATED_FOLDER}/${table}`);
}

/** A policy to attach to people or to their role. */
export function analystPolicy(scope: Construct, id: string, props: AnalystPolicyProps): ManagedPolicy {
  const { settings, catalog, lake, key } = props;
  const folders = foldersOf(LAKE_TABLES);
  const policy = new ManagedPolicy(scope, id, {
    managedPolicyName: `${settings.names.farm}-analyst`,
    description: "May ask questions to the lake through its workgroup; attach it to people or their role",
    document: new PolicyDocument({
      statements: [
        ...askAthena(scope, settings.names.workGroup),
        ...lookIntoCatalog(catalog),
        readTables(catalog, LAKE_TABLES),
        list(lake),
        listUploads(lake),
        onObjects(lake, folders, ["s3:GetObject"]),
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
    objectsIn(lake, [...folders, RESULTS_FOLDER]),
    "An analyst may read these tables whole, and Athena names the results of queries itself.",
  );
  acknowledgeWildcards(
    policy,
    ["*"],
    "Athena's lists of workgroups, engine versions and data sources know no resources; they give names only.",
  );
  acknowledgeWildcards(
    policy,
    [catalog.arn("database/*"), catalog.arn(`table/${catalog.database}/*`)],
    "Glue lists databases, and the tables of one, only to those who may see each; rows stay closed with their objects.",
  );
  return policy;
}

/** A second policy, for who looks after the data: lines as they arrived, and those that are no readings. */
export function linesPolicy(scope: Construct, id: string, props: AnalystPolicyProps): ManagedPolicy {
  const { settings, catalog, raw, lake, key } = props;
  const folders = foldersOf(LINE_TABLES);
  const policy = new ManagedPolicy(scope, id, {
    managedPolicyName: `${settings.names.farm}-analyst-lines`,
    description: "Beside the analyst's policy: lines as they arrived, and those that are no readings",
    document: new PolicyDocument({
      statements: [
        readTables(catalog, [...LINE_TABLES, LAYOUT.rawTable]),
        list(raw),
        onObjects(raw, [LAYOUT.rawFolder], ["s3:GetObject"]),
        onObjects(lake, folders, ["s3:GetObject"]),
        useKeyForObjects(key, [raw, lake], ["kms:Decrypt"]),
      ],
    }),
  });
  acknowledgeWildcards(
    policy,
    [...objectsIn(raw, [LAYOUT.rawFolder]), ...objectsIn(lake, folders)],
    "It is for reading all lines as they arrived; errors of the delivery stay closed.",
  );
  return policy;
}

function askAthena(scope: Construct, workGroup: string): PolicyStatement[] {
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
      resources: [athena(`workgroup/${workGroup}`)],
    }),
  ];
}

function lookIntoCatalog(catalog: Catalog): PolicyStatement[] {
  const whole = catalog.arn("catalog");
  const { database } = catalog;
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
  ];
}

/** Partitions are the raw table's; Iceberg keeps its own beside its files. */
function readTables(catalog: Catalog, tables: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    actions: ["glue:GetTable", "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition"],
    resources: catalog.arns(tables),
  });
}
