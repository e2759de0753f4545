/** An analyst gets as far as Athena's console asks, sees names of what there is, and reads the curated table alone. */

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
    `${glue}table/windfarm/readings`,
  ]);
});

t.test("rows are read from the curated table and from results, and only results are written", async (t) => {
  t.same(granted("s3:GetObject"), [`${lake}/curated/readings/*`, `${lake}/query-results/*`]);
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
