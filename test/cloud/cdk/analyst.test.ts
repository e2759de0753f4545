/** An analyst gets as far as Athena's console asks, sees names of what there is, and reads the lake; lines by a second policy. */

import t from "tap";
import { build, writeSources } from "./build.ts";
import { has } from "./has.ts";
import { grantsOfPolicy } from "./policies.ts";

const { pipelineTemplate: template } = build("dev", writeSources(t.testdir()));
const says = grantsOfPolicy(template, "windfarm-dev-analyst").map((grant) => grant.says);
const athena = "arn:aws:athena:us-east-1:<AWS::AccountId>:";
const glue = "arn:aws:glue:us-east-1:<AWS::AccountId>:";
const lake = "arn:aws:s3:::<windfarm-dev-data-LakeBucket>";
const granted = (action: string): string[] =>
  says
    .filter((line) => line.startsWith(`Allow ${action} on `))
    .map((line) => line.slice(`Allow ${action} on `.length))
    .sort();

t.test("the console finds its workgroups, engines and data sources", async (t) => {
  for (const action of ["ListWorkGroups", "ListEngineVersions", "ListDataCatalogs"])
    t.same(granted(`athena:${action}`), ["*"], action);
  for (const action of [
    "GetDataCatalog",
    "ListDatabases",
    "GetDatabase",
    "ListTableMetadata",
    "GetTableMetadata",
  ])
    t.same(granted(`athena:${action}`), [`${athena}datacatalog/AwsDataCatalog`], action);
  for (const action of ["StartQueryExecution", "GetQueryResults", "BatchGetQueryExecution"])
    t.same(granted(`athena:${action}`), [`${athena}workgroup/windfarm`], action);
});

t.test("databases and tables are found in the catalog, the database default among them", async (t) => {
  t.same(granted("glue:GetDatabase"), [
    `${glue}catalog`,
    `${glue}database/default`,
    `${glue}database/windfarm`,
  ]);
  t.same(granted("glue:GetDatabases"), [`${glue}catalog`, `${glue}database/*`]);
  t.same(granted("glue:GetTables"), [
    `${glue}catalog`,
    `${glue}database/windfarm`,
    `${glue}table/windfarm/*`,
  ]);
  t.same(granted("glue:GetPartitions"), [
    `${glue}catalog`,
    `${glue}database/windfarm`,
    `${glue}table/windfarm/deliveries`,
    `${glue}table/windfarm/gateways`,
    `${glue}table/windfarm/readings`,
  ]);
});

t.test("rows are read from the lake's tables and from results, and only results are written", async (t) => {
  t.same(granted("s3:GetObject"), [
    `${lake}/curated/deliveries/*`,
    `${lake}/curated/gateways/*`,
    `${lake}/curated/readings/*`,
    `${lake}/query-results/*`,
  ]);
  for (const action of ["PutObject", "AbortMultipartUpload", "ListMultipartUploadParts"])
    t.same(granted(`s3:${action}`), [`${lake}/query-results/*`], action);
  t.same(granted("s3:ListBucketMultipartUploads"), [lake]);
  t.notOk(
    says.some((line) => line.includes("RawBucket")),
    "no raw object is open",
  );
});

t.test("nothing is changed in the catalog or in the workgroup", async (t) => {
  const allowed =
    /^Allow (athena:(Get|List|BatchGet|StartQ|StopQ)|glue:(Get|BatchGet)|s3:(Get|List|Put|Abort)|kms:)/;
  t.same(
    says.filter((line) => !allowed.test(line)),
    [],
  );
  has(t, template, "AWS::IAM::ManagedPolicy", { ManagedPolicyName: "windfarm-dev-analyst" });
});

t.test(
  "a second policy opens lines as they arrived and those that are no readings, for reading only",
  async (t) => {
    const lines = grantsOfPolicy(template, "windfarm-dev-analyst-lines").map((grant) => grant.says);
    t.same(lines.filter((line) => line.startsWith("Allow s3:GetObject")).sort(), [
      `Allow s3:GetObject on ${lake}/curated/rejects/*`,
      "Allow s3:GetObject on arn:aws:s3:::<windfarm-dev-data-RawBucket>/readings/*",
    ]);
    for (const table of ["raw_readings", "rejects"])
      t.ok(lines.includes(`Allow glue:GetPartitions on ${glue}table/windfarm/${table}`), table);
    t.same(
      lines.filter(
        (line) => !/^Allow (glue:(Get|BatchGet)|s3:(GetO|GetBucketL|List)|kms:Decrypt)/.test(line),
      ),
      [],
    );
  },
);
