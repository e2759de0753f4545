/** The Python example of docs/sensors.md, as it stands there, against a running agent. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import t from "tap";
import { Program } from "../../helpers/program.ts";

const found = spawnSync("python3", ["-c", "import paho.mqtt.enums"]).status === 0;
const skip = found ? false : "python3 with paho-mqtt 2 is not installed (pip install paho-mqtt)";
const GREETING = /"listen":"(mqtt:[^"]+)".*"status":"(http:[^"]+)"/;

t.test("its readings are acknowledged, and understood", { skip }, async (t) => {
  const folder = t.testdir();
  const config = join(folder, "agent.config.yaml");
  writeFileSync(
    config,
    `version: 1
gateway: { id: gw-python }
mqtt: { listen: "mqtt://127.0.0.1:0" }
buffer: { path: "${folder}/buffer.db" }
kinesis: { region: us-east-1, endpoint: "http://127.0.0.1:9" }
status: { listen: "http://127.0.0.1:0" }
`,
  );
  const agent = new Program("windfarm", ["run", "--config", config]);
  t.teardown(() => agent.kill());
  await agent.says(GREETING);
  const [, broker = "", page = ""] = GREETING.exec(agent.stdout) ?? [];
  const [, example = ""] = /```python\n([\s\S]*?)```/.exec(readFileSync("docs/sensors.md", "utf8")) ?? [];
  const python = spawn("python3", ["-c", example, "127.0.0.1", new URL(broker).port]);
  const [said, , [code]] = await Promise.all([
    text(python.stdout),
    text(python.stderr),
    once(python, "close"),
  ]);
  t.equal(code, 0);
  t.equal(said, "acknowledged 10\n");
  const status = JSON.parse(await (await fetch(new URL("/api/status", page))).text());
  t.match(status, { received: 10, rejected: 0, validate: { accepted: { "Power Factor": 10 } } });
});
