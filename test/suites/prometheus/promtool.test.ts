/** Prometheus' own judgement of the rules and of what is scraped. */

import { spawnSync } from "node:child_process";
import t from "tap";
import { createMetrics } from "../../../agent/observe/metrics.ts";
import { sampleSnapshot } from "../../observe/sample-snapshot.ts";

const found = spawnSync("promtool", ["--version"]).status === 0;
const skip = found ? false : "promtool is not installed (Debian: prometheus)";

function promtool(args: readonly string[], input = "") {
  const { status, stdout, stderr } = spawnSync("promtool", args, { input, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

t.test("the rules are rules, and go off when they should", { skip }, async (t) => {
  t.match(promtool(["check", "rules", "deploy/prometheus/windfarm.rules.yml"]), {
    status: 0,
    said: /SUCCESS/,
  });
  t.match(promtool(["test", "rules", "deploy/prometheus/windfarm.rules.test.yml"]), {
    status: 0,
    said: /SUCCESS/,
  });
});

t.test("what is scraped has nothing Prometheus would object to", { skip }, async (t) => {
  const text = await createMetrics().write(sampleSnapshot());
  t.strictSame(promtool(["check", "metrics"], text), { status: 0, said: "" });
});
