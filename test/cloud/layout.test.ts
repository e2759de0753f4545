import t from "tap";
import {
  curatedColumns,
  errorFolderAt,
  firehoseErrorPrefix,
  firehosePrefix,
  indexFileOf,
  LAYOUT,
  layoutForJob,
  rawFolderAt,
  rawObjectName,
  rejectsFileOf,
  versionFolder,
} from "../../cloud/layout.ts";

const ARRIVED = Date.parse("2026-11-22T09:08:07.000Z");

t.test("Firehose's prefix and the local path are the same layout", async (t) => {
  t.equal(firehosePrefix(), "readings/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/");
  t.equal(firehoseErrorPrefix(), "errors/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/");
  t.equal(rawFolderAt(ARRIVED), "readings/dt=2026-11-22/hr=09");
  t.equal(errorFolderAt("processing-failed", ARRIVED), "errors/processing-failed/dt=2026-11-22");
  t.equal(rawObjectName(ARRIVED, "u"), "windfarm-readings-1-2026-11-22-09-08-07-u.gz");
});

t.test("changed in one place, the layout changes everywhere", async (t) => {
  const other = {
    ...LAYOUT,
    rawFolder: "r",
    indexFolder: "i",
    rejectsFolder: "x",
    curatedFolder: "c",
    versionKey: "rev",
  };
  t.equal(firehosePrefix(other), "r/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/");
  const object = `${rawFolderAt(ARRIVED, other)}/o.gz`;
  t.equal(object, "r/dt=2026-11-22/hr=09/o.gz");
  t.equal(indexFileOf(object, other), "i/dt=2026-11-22/hr=09.ndjson");
  t.equal(rejectsFileOf(object, other), "x/dt=2026-11-22/hr=09/o.ndjson");
  t.equal(versionFolder("2026-11-22", "1", other), "c/dt=2026-11-22/rev=1");
  t.match(layoutForJob(other), {
    raw_folder: "r",
    index_folder: "i",
    rejects_folder: "x",
    curated_folder: "c",
  });
});

t.test("the columns are the contract's, with each engine's type", async (t) => {
  const columns = curatedColumns();
  t.equal(
    columns.map(({ name }) => name).join(" "),
    "id data type date turbine gateway epoch seq received day dup",
  );
  t.same(columns[3], { name: "date", hive: "timestamp", duckdb: "TIMESTAMP", spark: "timestamp" });
});
