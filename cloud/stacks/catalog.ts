/**
 * What is in the Data Catalog's database, which the data stack holds: the raw table, whose arrival hours the crawler adds
 * once a day, and the curated tables, which are the job's. It makes and changes them with Iceberg, which keeps their schema
 * and their files in metadata of its own; CloudFormation would write over the pointer to it
 * (aws-cloudformation/coverage-roadmap#1919).
 */

import { Stack } from "aws-cdk-lib";
import { CfnTable } from "aws-cdk-lib/aws-glue";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { LAYOUT, rawColumns } from "../layout.ts";

export interface CatalogProps {
  /** The database's name. */
  database: string;
  raw: IBucket;
}

/** The Iceberg tables that the job makes. */
export const CURATED_TABLES = ["readings", "deliveries", "rejects", "gateways"] as const;

export class Catalog extends Construct {
  readonly database: string;
  readonly rawTable: CfnTable;

  constructor(scope: Construct, id: string, { database, raw }: CatalogProps) {
    super(scope, id);
    this.database = database;
    this.rawTable = new CfnTable(this, "RawTable", {
      catalogId: Stack.of(this).account,
      databaseName: database,
      tableInput: {
        name: LAYOUT.rawTable,
        description: "Lines as they arrived, every delivery, every column a string; by hour of arrival, UTC",
        tableType: "EXTERNAL_TABLE",
        partitionKeys: LAYOUT.rawPartitions.map(({ name }) => ({ name, type: "string" })),
        parameters: { classification: "json", compressionType: "gzip" },
        storageDescriptor: {
          columns: rawColumns().map(({ name, hive }) => ({ name, type: hive })),
          location: raw.s3UrlForObject(`${LAYOUT.rawFolder}/`),
          compressed: true,
          inputFormat: "org.apache.hadoop.mapred.TextInputFormat",
          outputFormat: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
          serdeInfo: {
            serializationLibrary: "org.openx.data.jsonserde.JsonSerDe",
            parameters: { "ignore.malformed.json": "true" },
          },
        },
      },
    });
  }

  /** ARNs an IAM statement about tables of this catalog must name: the catalog, the database, the tables. */
  arns(tables: readonly string[]): string[] {
    const names = tables.map((table) => `table/${this.database}/${table}`);
    return ["catalog", `database/${this.database}`, ...names].map((name) => this.arn(name));
  }

  /** The ARN of a resource of Glue's in this account and region, e.g. `database/default`. */
  arn(resource: string): string {
    return Stack.of(this).formatArn({ service: "glue", resource });
  }
}
