import { execFileSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { defaultConfigFile } from "../../agent/config/places.ts";
import { ROOT } from "../helpers/program.ts";

t.test("the first place with a file in it counts, or the last", (t) => {
  const folder = t.testdir({ first: {}, second: { "c.yaml": "" } });
  const [first, second, none] = ["first", "second", "none"].map((name) => join(folder, name, "c.yaml"));
  t.equal(defaultConfigFile([first ?? "", second ?? ""]), second);
  t.equal(defaultConfigFile([second ?? "", first ?? ""]), second);
  t.equal(defaultConfigFile([first ?? "", none ?? ""]), none);
  t.end();
});

const setpriv = existsSync("/usr/bin/setpriv") && process.getuid?.() === 0;
t.test(
  "a place that this user may not look into is not passed over",
  { skip: !setpriv && "needs root and setpriv" },
  (t) => {
    const folder = t.testdir({ hidden: { "c.yaml": "" }, own: {} });
    const hidden = join(folder, "hidden/c.yaml");
    chmodSync(join(folder, "hidden"), 0o750);
    t.teardown(() => chmodSync(join(folder, "hidden"), 0o755));
    const source = JSON.stringify(join(ROOT, "agent/config/places.ts"));
    const places = JSON.stringify([hidden, join(folder, "own/c.yaml")]);
    const script = `import(${source}).then(({ defaultConfigFile }) => process.stdout.write(defaultConfigFile(${places})))`;
    const loader = `--import=${join(ROOT, "test/helpers/typescript.mjs")}`;
    const asNobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", process.execPath, loader];
    const env = { ...process.env, NODE_OPTIONS: "" };
    t.equal(execFileSync("setpriv", [...asNobody, "-e", script], { env, encoding: "utf8" }), hidden);
    t.end();
  },
);
