/**
 * The lake's names and layout stand in one place: another layout handed in moves the delivery's prefixes, the catalog,
 * the crawler, the job's arguments, the permissions, the lifecycle, and what the local lake writes.
 */

import t from "tap";
import {
  errorFolderAt,
  indexFileOf,
  LAYOUT,
  type Layout,
  rawFolderAt,
  rawObjectName,
  rejectsFileOf,
  versionFolder,
} from "../../../cloud/layout.ts";
import { OTHER_LAYOUT } from "../other-layout.ts";
import { build, writeSources } from "./build.ts";
import { has } from "./has.ts";
import { grantsOf } from "./policies.ts";

const OTHER: Layout = {
  ...OTHER_LAYOUT,
  fields: { id: "string", data: "bigint", type: "string", date: "timestamp", station: "string" },
};

const sources = writeSources(t.testdir());
const { dataTemplate, pipelineTemplate } = build("dev", sources, OTHER);

t.test("the delivery's prefixes move", async (t) => {
  has(t, pipelineTemplate, "AWS::KinesisFirehose::DeliveryStream", {
    DeliveryStreamName: "other-delivery",
    ExtendedS3DestinationConfiguration: {
      Prefix: "incoming/day=!{timestamp:yyyyMMdd}/",
      ErrorOutputPrefix: "undeliverable/!{firehose:error-output-type}/day=!{timestamp:yyyyMMdd}/",
    },
  });
  has(t, dataTemplate, "AWS::Kinesis::Stream", { Name: "other-stream" });
});

t.test("the tables, their columns and types, and the crawler move", async (t) => {
  has(t, pipelineTemplate, "AWS::Glue::Crawler", {
    DatabaseName: "otherfarm",
    Targets: { CatalogTargets: [{ DatabaseName: "otherfarm", Tables: ["arrivals"] }] },
  });
  has(t, pipelineTemplate, "AWS::Glue::Table", {
    DatabaseName: "otherfarm",
    TableInput: { Name: "arrivals", PartitionKeys: [{ Name: "day", Type: "string" }] },
  });
  has(t, pipelineTemplate, "AWS::Glue::Table", {
    TableInput: {
      Name: "measurements",
      PartitionKeys: [{ Name: "event_day", Type: "string" }],
      StorageDescriptor: {
        Columns: [
          { Name: "id", Type: "string" },
          { Name: "data", Type: "bigint" },
          { Name: "type", Type: "string" },
          { Name: "date", Type: "timestamp" },
          { Name: "station", Type: "string" },
        ],
      },
    },
  });
});

t.test("the job's arguments move", async (t) => {
  has(t, pipelineTemplate, "AWS::Glue::Job", {
    DefaultArguments: {
      "--database": "otherfarm",
      "--table": "measurements",
      "--raw_folder": "incoming",
      "--curated_folder": "clean/measurements",
      "--rejects_folder": "refused",
      "--index_folder": "hours",
      "--day_key": "event_day",
      "--version_key": "version",
      "--raw_partitions": "day",
    },
  });
});

t.test("the named queries ask the other table in the other database", async (t) => {
  has(t, pipelineTemplate, "AWS::Athena::NamedQuery", {
    Name: "hourly",
    Database: "otherfarm",
    QueryString: "-- Hourly means.\nSELECT avg(data) FROM measurements\n",
  });
});

t.test("permissions and lifecycle follow", async (t) => {
  const lines = ["DeliveryRole", "CrawlRole", "CurationRole"].flatMap((prefix) =>
    grantsOf(pipelineTemplate, prefix).map(({ says }) => says),
  );
  for (const folder of ["incoming", "undeliverable", "clean/measurements", "refused", "hours"]) {
    t.ok(
      lines.some((line) => line.endsWith(`/${folder}/*`)),
      folder,
    );
  }
  t.ok(lines.some((line) => line.endsWith(":table/otherfarm/measurements")));
  t.ok(lines.some((line) => line.endsWith(":table/otherfarm/arrivals")));
  has(t, dataTemplate, "AWS::S3::Bucket", {
    LifecycleConfiguration: { Rules: [{}, {}, { Id: "colder", Prefix: "incoming/" }] },
  });
});

t.test("nothing of the usual layout is left in the templates", async (t) => {
  const text = JSON.stringify([dataTemplate.toJSON(), pipelineTemplate.toJSON()]);
  // The database's name is the application's too, so it is looked for where a database is named.
  const usual = [
    `"${LAYOUT.table}"`,
    `"${LAYOUT.rawTable}"`,
    `atabase":"${LAYOUT.database}"`,
    `DatabaseName":"${LAYOUT.database}"`,
    `database/${LAYOUT.database}`,
    LAYOUT.stream,
    `${LAYOUT.curatedFolder}/`,
    `"${LAYOUT.rejectsFolder}/`,
    `/${LAYOUT.rawFolder}/`,
    "hr=",
    `FROM ${LAYOUT.table}`,
  ];
  for (const name of usual) t.notOk(text.includes(name), name);
});

t.test("the local lake writes where the other layout says", async (t) => {
  const at = Date.UTC(2026, 10, 22, 12);
  t.equal(rawFolderAt(at, OTHER), "incoming/day=20261122");
  t.equal(errorFolderAt("aggregation", at, OTHER), "undeliverable/aggregation/day=20261122");
  t.equal(rawObjectName(at, "u", OTHER), "other-delivery-1-2026-11-22-12-00-00-u.gz");
  t.equal(versionFolder("2026-11-22", "7", OTHER), "clean/measurements/event_day=2026-11-22/version=7");
  t.equal(indexFileOf("incoming/day=20261122/x.gz", OTHER), "hours/day=20261122.ndjson");
  t.equal(rejectsFileOf("incoming/day=20261122/x.gz", OTHER), "refused/day=20261122/x.ndjson");
});
