/** Every metric stands in docs/metrics.md with its meaning, and dashboard and rules ask for none that there isn't. */

import { readFileSync } from "node:fs";
import t from "tap";
import { parse } from "yaml";
import { createMetrics } from "../../agent/observe/metrics.ts";
import { METRICS } from "../../agent/observe/metrics-table.ts";
import { anchorsOf } from "../cloud/anchors.ts";
import { sampleSnapshot } from "./sample-snapshot.ts";

const exposition = await createMetrics().write(sampleSnapshot());
const types = new Map(
  [...exposition.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
);
const labels = new Map(METRICS.map(({ name, labels = [] }) => [name, labels.join(", ")]));
const rows = [...exposition.matchAll(/^# HELP (\S+) (.+)$/gm)].map(([, name = "", help = ""]) => {
  return `| \`${name}\` | ${types.get(name)} | ${labels.get(name) ?? ""} | ${help} |`;
});

t.test("docs/metrics.md has each metric with its type, labels and meaning, and no other", async (t) => {
  const documented = readFileSync("docs/metrics.md", "utf8").match(/^\| `.+$/gm) ?? [];
  t.ok(rows.length > 50, `${rows.length} metrics`);
  t.strictSame(documented, rows);
});

const NAME = /\b(?:windfarm|process|nodejs)_[a-z0-9_]+/g;
const namesIn = (text: string) => [...new Set(text.match(NAME) ?? [])];
const unknown = (names: readonly string[]) => names.filter((name) => !types.has(name));

t.test("the Grafana dashboard asks for metrics there are", async (t) => {
  const dashboard = JSON.parse(readFileSync("deploy/grafana/windfarm.json", "utf8"));
  const panels: { title: string; targets?: { expr: string }[] }[] = dashboard.panels;
  const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  t.ok(asked.length >= 20, `${asked.length} questions`);
  t.strictSame(unknown(namesIn(asked.join("\n"))), []);
  t.equal(new Set(panels.map(({ title }) => title)).size, panels.length, "no two panels have one title");
});

t.test("the Prometheus rules ask for metrics there are, and lead to articles there are", async (t) => {
  const { groups } = parse(readFileSync("deploy/prometheus/windfarm.rules.yml", "utf8"));
  const anchors = anchorsOf(readFileSync("deploy/RUNBOOK.md", "utf8"));
  const alerts: { alert: string; expr: string; annotations: Record<string, string> }[] = groups.flatMap(
    ({ rules }: { rules: [] }) => rules,
  );
  t.ok(alerts.length >= 10, `${alerts.length} alerts`);
  for (const { alert, expr, annotations } of alerts) {
    t.ok(namesIn(expr).length > 0, alert);
    t.strictSame(unknown(namesIn(expr)), [], alert);
    t.match(annotations.summary, /^\S.*\.$/, alert);
    t.ok(anchors.includes(annotations.runbook?.split("#")[1] ?? ""), `${alert}: ${annotations.runbook}`);
  }
});
