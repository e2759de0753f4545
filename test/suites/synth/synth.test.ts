/** Synthesis is offline, without credentials, quick, and twice the same; CloudFormation's own rules and cdk-nag agree. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { canCutTheNetwork, synthesize } from "./synth.ts";

const QUICK_SECONDS = 30;
const offline = canCutTheNetwork();

/** Every file below `folder` with its content. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map((file) => join(file.parentPath, file.name)).sort();
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length), readFileSync(path, "utf8")]));
}

t.test("each stage is synthesized without network and credentials, in under 30 s", async (t) => {
  if (!offline) t.comment("may not cut the network off here; only the credentials are taken away");
  for (const stage of ["dev", "prod"]) {
    const { status, seconds, cpuSeconds, said, folder } = synthesize(
      stage,
      t.testdir({ [stage]: {} }),
      offline,
    );
    t.equal(status, 0, said);
    t.comment(`${stage}: ${seconds} s by the clock, ${cpuSeconds} s of a processor`);
    t.ok(cpuSeconds < QUICK_SECONDS, `${stage} takes ${cpuSeconds} s on a machine of its own`);
    t.notMatch(said, /WARNING|ERROR/, "no rule has anything to say");
    const templates = readdirSync(folder).filter((file) => file.endsWith(".template.json"));
    t.same(templates.sort(), [
      `windfarm-${stage}-data.template.json`,
      `windfarm-${stage}-pipeline.template.json`,
    ]);
  }
});

t.test("twice the same sources give the same files, byte by byte", async (t) => {
  const folder = t.testdir({ first: {}, second: {} });
  const [first, second] = [join(folder, "first"), join(folder, "second")];
  synthesize("dev", first, offline);
  synthesize("dev", second, offline);
  const files = contents(first);
  t.ok(Object.keys(files).length > 5, Object.keys(files).join(" "));
  t.same(contents(second), files);
});

t.test("a stage there isn't is refused in one sentence", async (t) => {
  const { status, said } = synthesize("staging", t.testdir());
  t.not(status, 0);
  t.match(said, 'cdk: there is no stage "staging"\n  try: Choose one of dev, prod');
  t.notMatch(said, /\n\s+at .*cloud\//, "no stack trace of ours");
});
