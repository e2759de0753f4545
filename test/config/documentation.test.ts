/** The shipped configuration is the documentation: every setting stands in it, explained, with its default. */

import { readFileSync } from "node:fs";
import t from "tap";
import { parseConfig } from "../../agent/config/parse.ts";
import { listSettings } from "../../agent/config/settings.ts";
import { pathText, treeAt } from "../../agent/config/tree.ts";
import { readYaml } from "../../agent/config/yaml-source.ts";

const FILE = "agent.config.yaml";
const shipped = readFileSync(FILE, "utf8");
const lines = shipped.split("\n");
/** The same with every setting set: `#key` is a setting that is not set, `# Text` is prose. */
const complete = lines.map((line) => line.replace(/^(\s*)#(?=[a-z_]+:)/, "$1"));
const everything = readYaml(complete.join("\n"));
const settings = listSettings();
/** Set in the shipped file although a gateway would have it otherwise. */
const FOR_THE_DEMO = ["kinesis.endpoint", "kinesis.flush_every"];

t.test("it runs as it is, without a variable of the environment", async (t) => {
  const { config } = parseConfig(FILE, Buffer.from(shipped), {});
  t.equal(config.gateway.id, "gw-01");
  t.equal(config.mqtt.listen?.url, "mqtt://127.0.0.1:1883");
  t.equal(config.kinesis.endpoint, "http://127.0.0.1:4567");
  t.equal(config.status.url, "http://127.0.0.1:8080");
  t.equal(config.buffer.path, "./data/agent/buffer.db");
});

t.test("under systemd the buffer is in the state directory", async (t) => {
  const { config } = parseConfig(FILE, Buffer.from(shipped), { STATE_DIRECTORY: "/var/lib/windfarm" });
  t.equal(config.buffer.path, "/var/lib/windfarm/buffer.db");
});

t.test("with every setting uncommented it is still YAML", async (t) => {
  t.same(everything.complaints, []);
  t.ok(settings.length > 60, `${settings.length} settings`);
});

t.test("every setting stands in it", async (t) => {
  for (const { path } of settings) t.not(treeAt(everything.tree, path), undefined, pathText(path));
});

t.test("nothing stands in it that is no setting", async (t) => {
  const known = new Set(settings.map(({ path }) => pathText(path)));
  const visit = (tree: unknown, path: readonly string[]): void => {
    if (typeof tree !== "object" || tree === null || Array.isArray(tree)) return;
    for (const [key, value] of Object.entries(tree)) {
      t.ok(known.has(pathText([...path, key])), pathText([...path, key]));
      visit(value, [...path, key]);
    }
  };
  visit(everything.tree, []);
});

t.test("prose stands above every setting", async (t) => {
  for (const { path } of settings) {
    const { line } = everything.locate(path, "key");
    t.match(lines[line - 2], /^\s*# \S/, pathText(path));
  }
});

t.test("the defaults shown are those of the program", async (t) => {
  for (const { path, default: expected } of settings) {
    if (expected === undefined || FOR_THE_DEMO.includes(pathText(path))) continue;
    t.same(treeAt(everything.tree, path), expected, pathText(path));
  }
});

t.test("a setting without a default is commented out, unless one must choose it", async (t) => {
  const chosen = ["version", "gateway.id", "gateway.site", "mqtt.listen", "buffer.path", "kinesis.region"];
  for (const { path, default: usual, kind } of settings) {
    if (usual !== undefined || kind === "section") continue;
    const { line } = everything.locate(path, "key");
    const set = !lines[line - 1]?.trimStart().startsWith("#");
    t.equal(set, [...chosen, ...FOR_THE_DEMO].includes(pathText(path)), pathText(path));
  }
});

t.test("every setting has its prose in the schema too", async (t) => {
  for (const { path, description } of settings) t.match(description, /^[A-Za-z].*\.$/s, pathText(path));
});
