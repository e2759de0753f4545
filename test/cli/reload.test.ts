/** `systemctl reload`: users and log level are taken over, the rest is named. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { startKinesisStub } from "../helpers/kinesis-stub.ts";
import { Program } from "../helpers/program.ts";

t.test(
  "the log level changes for every part, other changes wait for a restart, a wrong file changes nothing",
  async (t) => {
    const stub = await startKinesisStub();
    t.teardown(() => stub.outage());
    const config = [
      "version: 1",
      "gateway: { id: gw-r }",
      'mqtt: { listen: "mqtt://127.0.0.1:0" }',
      "buffer: { path: state/buffer.db, ballast: 0B }",
      `kinesis: { region: us-east-1, endpoint: "${stub.endpoint}" }`,
      'status: { listen: "http://127.0.0.1:0" }',
      "log: { level: info }",
      "",
    ].join("\n");
    const folder = t.testdir({ "agent.config.yaml": config });
    const file = join(folder, "agent.config.yaml");
    const agent = new Program("windfarm", ["run"], { cwd: folder });
    t.teardown(() => agent.kill("SIGKILL"));
    await agent.says("collects for gw-r");

    writeFileSync(file, config.replace("level: info", "level: debug").replace("id: gw-r", "id: gw-s"));
    agent.child.kill("SIGHUP");
    await agent.says('"waiting":["gateway"]');
    t.match(
      agent.stdout,
      /"level":"debug","waiting"|"msg":"Users and log level were read again\. gateway changed too: systemctl restart/,
    );

    writeFileSync(file, readFileSync(file, "utf8").replace("us-east-1", "Ireland"));
    agent.child.kill("SIGHUP");
    await agent.says("nothing was taken over, and the agent goes on as before");
    t.ok(agent.running);
  },
);

t.test("a logger's children follow its level", async (t) => {
  const { createLogger } = await import("../../agent/observe/log.ts");
  const lines: string[] = [];
  const loggers: import("pino").Logger[] = [];
  const log = createLogger({ level: "info", loggers, output: { write: (line) => void lines.push(line) } });
  const child = log.child({ part: "x" });
  child.debug("before");
  for (const each of loggers) each.level = "debug";
  child.debug("after");
  t.equal(loggers.length, 2);
  t.equal(lines.length, 1);
  t.match(lines[0], /after/);
});
