import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../../agent/config/load.ts";
import { ConfigFault } from "../../agent/config/problems.ts";

const MINIMAL = readFileSync("test/cases/config/minimal/agent.config.yaml", "utf8");

function problemsOf(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigFault) return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

t.test("a file that isn't there, or is a folder, is one clear problem", async (t) => {
  const folder = t.testdir({});
  const missing = join(folder, "missing.yaml");
  t.same(
    problemsOf(() => loadConfig(missing)),
    [`there is no file ${missing}`],
  );
  t.same(
    problemsOf(() => loadConfig(folder)),
    [`${folder} is a folder`],
  );
  t.same(
    problemsOf(() => loadConfig(join(folder, "missing.yaml", "deeper.yaml"))).map((one) => one.split(" ")[0]),
    ["there"],
  );
});

const isRoot = process.getuid?.() === 0;
t.test("a file this user may not read says so", { skip: isRoot && "root may read everything" }, async (t) => {
  const file = join(t.testdir({ "agent.config.yaml": MINIMAL }), "agent.config.yaml");
  chmodSync(file, 0);
  t.same(
    problemsOf(() => loadConfig(file)),
    [`this user may not read ${file}`],
  );
});

t.test("the environment of the process fills in what the file leaves to it", async (t) => {
  const folder = t.testdir({ "agent.config.yaml": MINIMAL.replace("gw-01", `$\{GATEWAY_OF_THE_TEST}`) });
  const file = join(folder, "agent.config.yaml");
  t.same(
    problemsOf(() => loadConfig(file)),
    ["the environment variable GATEWAY_OF_THE_TEST is not set"],
  );
  const config = loadConfig(file, { environment: { GATEWAY_OF_THE_TEST: "gw-77" } });
  t.equal(config.gateway.id, "gw-77");
});

t.test("secrets come from their files, without the newline at the end", async (t) => {
  const folder = t.testdir({});
  mkdirSync(join(folder, "secrets"));
  writeFileSync(join(folder, "secrets", "password"), " pass word \n");
  const broker = `connect: mqtts://broker\n  username: farm\n  password_file: ${folder}/secrets/password`;
  const file = join(folder, "agent.config.yaml");
  writeFileSync(file, MINIMAL.replace("listen: mqtt://127.0.0.1:1883", broker));
  t.equal(loadConfig(file).mqtt.password, " pass word ");
});

t.test("who only looks needs none of the files that settings name", async (t) => {
  const broker = "connect: mqtts://broker\n  username: farm\n  password_file: /nowhere/password";
  const folder = t.testdir({ "agent.config.yaml": MINIMAL.replace("listen: mqtt://127.0.0.1:1883", broker) });
  const file = join(folder, "agent.config.yaml");
  t.same(
    problemsOf(() => loadConfig(file)),
    ["mqtt.password_file: there is no file /nowhere/password"],
  );
  const { mqtt } = loadConfig(file, { files: false });
  t.equal(mqtt.username, "farm");
  t.notOk("password" in mqtt);
});

t.test("what is not given is absent, not undefined", async (t) => {
  const config = loadConfig("test/cases/config/minimal/agent.config.yaml", { environment: {} });
  const undefinedKeys = JSON.stringify(config, (_, value: unknown) =>
    value === undefined ? "undefined" : value,
  );
  t.notMatch(undefinedKeys, /"undefined"/);
  t.notOk("endpoint" in config.kinesis);
  t.notOk("connect" in config.mqtt);
});
