/** What the Glue job says of arguments that are wrong: one sentence, as the exception that Glue shows of a run. */

import t from "tap";
import { layoutForJob } from "../../../cloud/layout.ts";
import { pythonMissing, runPython } from "./spark.ts";

const NEEDED = { ...layoutForJob(), raw: "s3://raw", lake: "s3://lake", sql: "s3://assets/sql.zip" };
const ALL = Object.entries(NEEDED).flatMap(([key, value]) => [`--${key}`, value]);
/** What Glue adds, or takes from whoever starts a run. */
const OF_GLUE = [
  ...["--JOB_NAME", "windfarm-dev-curate", "--JOB_RUN_ID", "jr_1", "--TempDir", "s3://lake/tmp/"],
  ...["--job-bookmark-option", "job-bookmark-disable", "--extra-py-files", "s3://assets/modules.zip"],
  ...["--enable-continuous-cloudwatch-log", "true", "--encryption-type", "sse-kms", "--conf", "spark.x=1"],
];
/** Reads the arguments as the job does and tells what Python would show of the exception. */
const READ = `
import json, sys
from curation.arguments import read_arguments
def said(argv):
    try:
        settings = read_arguments(argv)
        return f"{settings.first_day} to {settings.last_day}"
    except SystemExit as end:
        return f"SystemExit: {end}"
print(json.dumps([said(argv) for argv in json.load(sys.stdin)]))
`;

const CASES: [args: string[], said: string][] = [
  [["--from", "2026-11-01", "--to", "2026-11-22"], "2026-11-01 to 2026-11-22"],
  [
    ["--from", "2026-11-22", "--to", "2026-11-01"],
    "SystemExit: curate: --from 2026-11-22 is after --to 2026-11-01; no day lies between them",
  ],
  [
    ["--from", "2026-02-30"],
    "SystemExit: curate: argument --from: 2026-02-30 is no day; give one like 2026-11-22",
  ],
  [["--to", "yesterday"], "SystemExit: curate: argument --to: yesterday is no day; give one like 2026-11-22"],
  [["--from"], "SystemExit: curate: argument --from: expected one argument"],
  [["--form", "2026-11-01"], "SystemExit: curate: there is no argument --form; did you mean --from?"],
  [["--From=2026-11-01"], "SystemExit: curate: there is no argument --From; did you mean --from?"],
  [
    ["--coloumns", "id:string"],
    "SystemExit: curate: there is no argument --coloumns; did you mean --columns?",
  ],
  [["--datalake-formats", "iceberg", "--auto-scale", "true", "--from", "2026-11-01"], "2026-11-01 to None"],
  [
    ["--columns", "id"],
    "SystemExit: curate: argument --columns: id is no list of columns like id:string,data:double",
  ],
  [["-from", "2026-11-01"], "SystemExit: curate: there is no argument -from; did you mean --from?"],
];

t.test("arguments that are wrong are told in one sentence", { skip: pythonMissing() }, async (t) => {
  const asked = CASES.map(([args]) => [...ALL, ...OF_GLUE, ...args]);
  const { code, stdout, stderr } = await runPython(["-c", READ], "cloud/jobs", JSON.stringify(asked));
  t.equal(code, 0, stderr);
  t.same(
    JSON.parse(stdout),
    CASES.map(([, said]) => said),
  );
});

t.test(
  "the job itself ends with the sentence, before it starts Spark",
  { skip: pythonMissing() },
  async (t) => {
    const ended = await runPython(["curate.py", ...ALL, "--from", "2026-02-30"], "cloud/jobs");
    t.equal(ended.code, 1);
    t.equal(ended.stderr, "curate: argument --from: 2026-02-30 is no day; give one like 2026-11-22\n");
  },
);
