/**
 * The Data Catalog: the raw table, whose arrival hours the crawler adds once a day, and the curated table, whose days
 * the job points at versioned folders. No partition projection: it would compute a day's folder from its name, and
 * replacing a day could not be one atomic update of its partition.
 */

import { Stack } from "aws-cdk-lib";
import { CfnDatabase, CfnTable } from "aws-cdk-lib/aws-glue";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { type Column, curatedColumns, dayColumn, type Layout, rawColumns } from "../layout.ts";

export interface CatalogProps {
  layout: Layout;
  raw: IBucket;
  lake: IBucket;
}

export class Catalog extends Construct {
  readonly database: CfnDatabase;
  readonly rawTable: CfnTable;
  readonly curatedTable: CfnTable;
  readonly #layout: Layout;

  constructor(scope: Construct, id: string, { layout, raw, lake }: CatalogProps) {
    super(scope, id);
    this.#layout = layout;
    this.database = new CfnDatabase(this, "Database", {
      catalogId: Stack.of(this).account,
      databaseInput: { name: layout.database, description: "Readings of the wind farm" },
    });
    this.rawTable = this.#table("RawTable", {
      name: layout.rawTable,
      description: "Readings as they arrived, every delivery, every column a string; by hour of arrival, UTC",
      partitionKeys: layout.rawPartitions.map(({ name }) => ({ name, type: "string" })),
      parameters: { classification: "json", compressionType: "gzip" },
      storageDescriptor: {
        columns: rawColumns(layout).map(hiveColumn),
        location: raw.s3UrlForObject(`${layout.rawFolder}/`),
        compressed: true,
        inputFormat: "org.apache.hadoop.mapred.TextInputFormat",
        outputFormat: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        serdeInfo: {
          serializationLibrary: "org.openx.data.jsonserde.JsonSerDe",
          parameters: { "ignore.malformed.json": "true" },
        },
      },
    });
    this.curatedTable = this.#table("CuratedTable", {
      name: layout.table,
      description: "Each reading once; by the UTC day it was made",
      partitionKeys: [hiveColumn(dayColumn(layout))],
      parameters: { classification: "parquet" },
      storageDescriptor: {
        columns: curatedColumns(layout).map(hiveColumn),
        location: lake.s3UrlForObject(`${layout.curatedFolder}/`),
        inputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        outputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        serdeInfo: { serializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" },
      },
    });
  }

  /** ARNs an IAM statement about a table of this catalog must name: the catalog, the database, the table. */
  arns(table: string): string[] {
    const { database } = this.#layout;
    return ["catalog", `database/${database}`, `table/${database}/${table}`].map((name) => this.arn(name));
  }

  /** The ARN of a resource of Glue's in this account and region, e.g. `database/default`. */
  arn(resource: string): string {
    return Stack.of(this).formatArn({ service: "glue", resource });
  }

  #table(id: string, tableInput: CfnTable.TableInputProperty): CfnTable {
    const table = new CfnTable(this, id, {
      catalogId: Stack.of(this).account,
      databaseName: this.#layout.database,
      tableInput: { ...tableInput, tableType: "EXTERNAL_TABLE" },
    });
    table.addResourceDependency(this.database);
    return table;
  }
}

function hiveColumn({ name, hive }: Column): CfnTable.ColumnProperty {
  return { name, type: hive };
}
