/** cfn-lint, which knows CloudFormation's schemas and many of its traps, has nothing to say to the templates. */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { build, writeSources } from "../../cloud/cdk/build.ts";

const missing = spawnSync("cfn-lint", ["--version"], { stdio: "ignore" }).status !== 0;
const skip = missing ? "needs cfn-lint: pip install cfn-lint==1.51.0" : false;

function lint(file: string): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync("cfn-lint", ["--non-zero-exit-code", "informational", file], {
    encoding: "utf8",
  });
  return { status, said: `${stdout}${stderr}` };
}

t.test("no template of any stage has a finding", { skip }, async (t) => {
  const folder = t.testdir();
  const sources = writeSources(folder);
  for (const stage of ["dev", "prod"] as const) {
    const { dataTemplate, pipelineTemplate } = build(stage, sources);
    for (const [part, template] of Object.entries({ data: dataTemplate, pipeline: pipelineTemplate })) {
      const file = join(folder, `${stage}-${part}.json`);
      writeFileSync(file, JSON.stringify(template.toJSON()));
      const { status, said } = lint(file);
      t.equal(status, 0, said === "" ? `${stage} ${part}` : said);
    }
  }
});

t.test("and it would find a property that isn't one", { skip }, async (t) => {
  const file = join(t.testdir(), "wrong.json");
  const { dataTemplate } = build("dev", writeSources(t.testdirName));
  const template = dataTemplate.toJSON();
  template.Resources.Stream.Properties.Shards = 1;
  writeFileSync(file, JSON.stringify(template));
  const { status, said } = lint(file);
  t.not(status, 0);
  t.match(said, /E3002.*Shards/);
});
