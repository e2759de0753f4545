/** A service whose configuration is wrong: a page instead of a dead port, and the agent as soon as it is mended. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { freePorts } from "../../deploy/local/ports.ts";
import { startKinesisStub } from "../helpers/kinesis-stub.ts";
import { Program } from "../helpers/program.ts";

function config(endpoint: string, page: string, level = "info"): string {
  return [
    "version: 1",
    "gateway: { id: gw-t }",
    'mqtt: { listen: "mqtt://127.0.0.1:0" }',
    "buffer: { path: state/buffer.db, ballast: 0B }",
    `kinesis: { region: us-east-1, endpoint: "${endpoint}" }`,
    `status: { listen: "${page}" }`,
    `log: { level: ${level} }`,
    "",
  ].join("\n");
}

async function begin(t: Test) {
  const kinesis = await startKinesisStub();
  t.teardown(() => kinesis.outage());
  const [port = 0] = await freePorts(1);
  const page = `http://127.0.0.1:${port}`;
  const good = config(kinesis.endpoint, page);
  const folder = t.testdir({ "agent.config.yaml": good.replace("gateway:", "gatewy:") });
  const file = join(folder, "agent.config.yaml");
  return { page, good, folder, file };
}

function serve(t: Test, folder: string): Program {
  // A service manager is told by its socket; that nobody reads there is no matter here.
  const env = { NOTIFY_SOCKET: join(folder, "nobody") };
  const agent = new Program("windfarm", ["run", "--config", "agent.config.yaml"], { cwd: folder, env });
  t.teardown(() => agent.kill("SIGKILL"));
  return agent;
}

t.test(
  "a service with a wrong configuration says so at its own page, and starts when the file is mended",
  async (t) => {
    const { page, good, folder, file } = await begin(t);
    const agent = serve(t, folder);
    await agent.says("the configuration is wrong");
    const log = JSON.parse(agent.stdout.split("\n").find((line) => line.includes("config.invalid")) ?? "{}");
    t.match(log, {
      level: "error",
      msg: /^Failed: the configuration is wrong, nothing is collected: .*, and 1 more/,
    });
    for (const probe of ["/healthz", "/readyz"]) {
      const answer = await fetch(page + probe);
      t.equal(answer.status, 503, probe);
      t.match(await answer.text(), /^not ready: Failed: the configuration is wrong/);
    }
    const html = await (await fetch(page)).text();
    t.match(html, /agent\.config\.yaml, line 2, column 1/, "the place");
    t.match(html, /gateway/, "and the nearest key");
    const status = await fetch(`${page}/api/status`);
    t.equal(status.status, 503);
    t.match(await status.json(), { state: "misconfigured", problems: [{ line: 1 }, { line: 2 }] });
    t.equal((await fetch(`${page}/page.css`)).status, 200, "it has its style");

    const asked = await new Program("windfarm", ["status", "--url", page]).ended;
    t.match(
      [asked.code, asked.stderr],
      [78, /^windfarm: Failed: the configuration is wrong.*\n {2}try: windfarm check/],
    );

    // Wrong in another way: the page follows.
    writeFileSync(file, good.replace("us-east-1", "Ireland"));
    await agent.says("is not an AWS region");
    t.match(await (await fetch(page)).text(), /is not an AWS region/);

    writeFileSync(file, good);
    await agent.says("collects for gw-t");
    t.equal((await fetch(`${page}/readyz`)).status, 200, "the agent has taken over the port");
  },
);

t.test(
  "where the page's own address is wrong the default one serves, and a port that is taken stops nothing",
  async (t) => {
    const { good, folder, file } = await begin(t);
    writeFileSync(file, good.replace(/http:\/\/127\.0\.0\.1:\d+" }\nlog/, 'http://0.0.0.0:80" }\nlog'));
    const agent = serve(t, folder);
    await agent.says("the configuration is wrong");
    writeFileSync(file, good);
    await agent.says("collects for gw-t");
  },
);

t.test("without a service manager it ends with 78", async (t) => {
  const { folder } = await begin(t);
  const env = { NOTIFY_SOCKET: "" };
  const { code, stderr } = await new Program("windfarm", ["run"], { cwd: folder, env }).ended;
  t.equal(code, 78);
  t.match(stderr, /agent\.config\.yaml:2:1: .*gatewy/);
});
