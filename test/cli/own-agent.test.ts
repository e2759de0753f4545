/** Two agents on one machine: who answers at a page is not always who was asked. */

import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import t, { type Test } from "tap";
import { runCommandLine } from "../../agent/cli/cli.ts";
import { strangerBy } from "../../agent/cli/own-agent.ts";
import { openIn } from "../buffer/setup.ts";
import { sampleSnapshot } from "../observe/sample-snapshot.ts";

t.test("An agent is known by its gateway and by its buffer's epoch", async (t) => {
  const { buffer, settings } = openIn(t);
  const whose = { gateway: { id: "gw-01", site: "", timezone: "UTC" }, buffer: settings };
  const { epoch } = buffer;
  t.equal(await strangerBy(whose, { gateway: "gw-01", epoch }), undefined);
  t.equal(await strangerBy(whose, { gateway: "gw-02", epoch }), "its gateway is gw-02 and not gw-01");
  t.match(
    await strangerBy(whose, { gateway: "gw-01", epoch: "other" }),
    `its buffer has the epoch other, and ${settings.path} has ${epoch}`,
  );
  const unseen = { ...whose, buffer: { ...settings, path: join(t.testdir(), "elsewhere.db") } };
  t.equal(await strangerBy(unseen, { gateway: "gw-01", epoch: "other" }), undefined, "no file, no doubt");
});

async function pageOf(t: Test, gateway: string): Promise<string> {
  const server = createServer((_, response) => response.end(JSON.stringify(sampleSnapshot({ gateway }))));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

t.test("status says so when another agent answers, unless it was named", async (t) => {
  const page = await pageOf(t, "gw-02");
  const config = join(t.testdir(), "agent.config.yaml");
  const lines = [
    "version: 1",
    "gateway: { id: gw-01 }",
    'mqtt: { listen: "mqtt://127.0.0.1:1883" }',
    `buffer: { path: "${t.testdirName}/buffer.db" }`,
    "kinesis: { region: us-east-1 }",
    `status: { listen: "${page}" }`,
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  await t.rejects(runCommandLine(["status", "--config", config], "0.0.0"), {
    code: "status.another_agent",
    message: `another agent answers at ${page}: its gateway is gw-02 and not gw-01`,
    hint: `--url ${page}`,
    exitCode: 1,
  });
});
