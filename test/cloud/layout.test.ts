import t from "tap";
import {
  curatedColumns,
  firehoseErrorPrefix,
  firehosePrefix,
  rawFolderAt,
  rawObjectName,
} from "../../cloud/layout.ts";

const ARRIVED = Date.parse("2026-11-22T09:08:07.000Z");

t.test("Firehose's prefix and the local path are the same layout", async (t) => {
  t.equal(firehosePrefix(), "readings/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/");
  t.equal(firehoseErrorPrefix(), "errors/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/");
  t.equal(rawFolderAt(ARRIVED), "readings/dt=2026-11-22/hr=09");
  t.equal(rawObjectName(ARRIVED, "u"), "windfarm-readings-1-2026-11-22-09-08-07-u.gz");
});

t.test("the columns are the contract's, with each engine's type", async (t) => {
  const columns = curatedColumns();
  t.equal(
    columns.map(({ name }) => name).join(" "),
    "id data type date turbine gateway epoch seq received day dup",
  );
  t.same(columns[3], { name: "date", hive: "timestamp", duckdb: "TIMESTAMP", spark: "timestamp" });
});
