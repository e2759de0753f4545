/** The built agent as its operator meets it: started, asked, stopped, and refused. */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import t, { type Test } from "tap";
import * as z from "zod";
import { freePorts } from "../../deploy/local/ports.ts";
import { type KinesisStub, startKinesisStub } from "../helpers/kinesis-stub.ts";
import { Program } from "../helpers/program.ts";

const Banner = z.object({ listen: z.string(), status: z.string().optional() });

function configText(
  kinesis: KinesisStub,
  listen = "mqtt://127.0.0.1:0",
  page = "http://127.0.0.1:0",
): string {
  return [
    "version: 1",
    "gateway: { id: gw-t }",
    `mqtt: { listen: "${listen}" }`,
    "buffer: { path: state/buffer.db, ballast: 0B }",
    `kinesis: { region: us-east-1, endpoint: "${kinesis.endpoint}", flush_every: 10ms }`,
    `status: { listen: "${page}" }`,
    "",
  ].join("\n");
}

async function stubOf(t: Test): Promise<KinesisStub> {
  const kinesis = await startKinesisStub();
  t.teardown(() => kinesis.outage());
  return kinesis;
}

function run(t: Test, folder: string, env: NodeJS.ProcessEnv = {}): Program {
  const agent = new Program("windfarm", ["run", "--config", "agent.config.yaml"], { cwd: folder, env });
  t.teardown(() => agent.kill("SIGKILL"));
  return agent;
}

/** Where a started agent listens, from its first words. */
async function bannerOf(agent: Program): Promise<z.output<typeof Banner>> {
  await agent.says("collects for gw-t");
  const line = agent.stdout.split("\n").find((one) => one.includes("collects for gw-t")) ?? "";
  return Banner.parse(JSON.parse(line));
}

async function publish(broker: string): Promise<void> {
  const client = await connectAsync(broker);
  const reading = { id: "PP_0", data: 0.97, type: "Power Factor", date: "2026-11-22T12:00:00Z" };
  await client.publishAsync("windfarm/T01/power-factor", JSON.stringify(reading), { qos: 1 });
  await client.endAsync();
}

async function takenPort(t: Test): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

t.test("the agent runs, tells its status, and stops in order when asked", async (t) => {
  const kinesis = await stubOf(t);
  const folder = t.testdir({ "agent.config.yaml": configText(kinesis) });
  const agent = run(t, folder);
  const { listen, status = "" } = await bannerOf(agent);
  await publish(listen);
  await kinesis.until(() => kinesis.counts.readings === 1);

  const text = await new Program("windfarm", ["status", "--url", status]).ended;
  t.same([text.code, text.stderr], [0, ""]);
  t.match(text.stdout, /^[A-Z][^\n]*\.\n\n {2}gateway {3}gw-t, windfarm /, "one plain sentence first");
  t.match(text.stdout, /\n {2}received +1\n/);

  const json = await new Program("windfarm", ["status", "--json", "--url", status]).ended;
  const counts = JSON.parse(json.stdout);
  t.match(counts, { gateway: "gw-t", received: 1, rejected: 0, dropped: 0 });
  t.equal(counts.received, counts.buffered + counts.shipped + counts.rejected + counts.dropped);

  const second = await run(t, folder).ended;
  t.equal(second.code, 1, "a second agent on the same buffer is refused");
  t.match(second.stderr, /^windfarm: .*buffer\.db.*\n {2}try: .*\n$/);

  const { code } = await agent.kill("SIGTERM");
  t.equal(code, 0);
  t.match(agent.stdout, /"msg":"stopped"/);
});

for (const news of ["READY=1", "STOPPING=1"])
  t.test(`a systemd that does not hear ${news} holds up no stop`, (t) => stopUnheard(t, news));

async function stopUnheard(t: Test, news: string): Promise<void> {
  const kinesis = await stubOf(t);
  // Stands in for systemd's program and keeps the news to itself until the test opens the other end.
  const told = `case "$1" in ${news}) exec cat "$(dirname "$0")/held" ;; esac`;
  const folder = t.testdir({ "agent.config.yaml": configText(kinesis), bin: {} });
  const bin = join(folder, "bin");
  execFileSync("mkfifo", [join(bin, "held")]);
  writeFileSync(join(bin, "systemd-notify"), `#!/bin/sh\n${told}\n`, { mode: 0o755 });
  const env = { NOTIFY_SOCKET: join(folder, "nobody"), PATH: `${bin}:${process.env.PATH}` };
  const agent = run(t, folder, env);
  await bannerOf(agent);
  const ended = agent.kill("SIGTERM");
  // Opens once the program has begun to wait.
  const held = await open(join(bin, "held"), "w");
  const { code } = await ended;
  await held.close();
  t.equal(code, 0);
  t.match(agent.stdout, /"msg":"stopped"/);
  t.notMatch(agent.stdout, /systemd could not be told/, "nobody waited until it was given up");
}

t.test("asked twice, it ends at once", async (t) => {
  const kinesis = await stubOf(t);
  kinesis.fault = () => ({ kind: "hang" });
  const agent = run(t, t.testdir({ "agent.config.yaml": configText(kinesis) }));
  const { listen } = await bannerOf(agent);
  await publish(listen);
  await kinesis.until(() => kinesis.counts.requests > 0);
  agent.child.kill("SIGINT");
  await agent.says('"signal":"SIGINT"');
  const { code } = await agent.kill("SIGINT");
  t.equal(code, 1);
  t.match(agent.stdout, /Asked to stop a second time/);
});

t.test(
  "what nobody foresaw is logged and ends the process, for the supervisor to start it anew",
  async (t) => {
    const kinesis = await stubOf(t);
    const accident = encodeURIComponent('process.on("SIGUSR2",()=>{throw new TypeError("boom")})');
    const folder = t.testdir({ "agent.config.yaml": configText(kinesis) });
    const agent = run(t, folder, { NODE_OPTIONS: `--import=data:text/javascript,${accident}` });
    await bannerOf(agent);
    const { code } = await agent.kill("SIGUSR2");
    t.equal(code, 1);
    t.match(agent.stdout, /"level":"fatal".*boom/);
  },
);

t.test("with a wrong configuration nothing is begun", async (t) => {
  const kinesis = await stubOf(t);
  const wrong = configText(kinesis).replace("us-east-1", "nowhere").replace("10ms", "10");
  const folder = t.testdir({ "agent.config.yaml": wrong });
  const { code, stdout, stderr } = await run(t, folder).ended;
  t.same([code, stdout], [78, ""]);
  t.match(
    stderr,
    /^agent\.config\.yaml:5:20: kinesis\.region: .*\nagent\.config\.yaml:5:\d+: kinesis\.flush_every: /,
  );
  t.notOk(existsSync(join(folder, "state")));
});

t.test("a broker's port that is taken ends the start with one clear message", async (t) => {
  const kinesis = await stubOf(t);
  const port = await takenPort(t);
  const folder = t.testdir({ "agent.config.yaml": configText(kinesis, `mqtt://127.0.0.1:${port}`) });
  const { code, stderr } = await run(t, folder).ended;
  t.equal(code, 1);
  t.match(stderr, new RegExp(`^windfarm: .*${port}.*\n {2}try: .*\n$`));
});

t.test(
  "with the broker's and the page's port taken nothing is begun, and nothing else is said",
  async (t) => {
    const kinesis = await stubOf(t);
    const [port, page] = [await takenPort(t), await takenPort(t)];
    const text = configText(kinesis, `mqtt://127.0.0.1:${port}`, `http://127.0.0.1:${page}`);
    const folder = t.testdir({ "agent.config.yaml": text });
    const { code, stdout, stderr } = await run(t, folder).ended;
    t.same([code, stdout], [1, ""]);
    t.match(stderr, new RegExp(`^windfarm: .*${port}.*\\n {2}try: .*\\n$`));
    t.notOk(existsSync(join(folder, "state")));
  },
);

t.test("a second agent on the same configuration is told whose the buffer is", async (t) => {
  const kinesis = await stubOf(t);
  const [port = 0, page = 0] = await freePorts(2);
  const text = configText(kinesis, `mqtt://127.0.0.1:${port}`, `http://127.0.0.1:${page}`);
  const folder = t.testdir({ "agent.config.yaml": text });
  await bannerOf(run(t, folder));
  t.match((await run(t, folder).ended).stderr, /^windfarm: the buffer .* belongs to a running agent/);

  const online = await new Program("windfarm", ["check", "--online", "--config", "agent.config.yaml"], {
    cwd: folder,
  }).ended;
  t.equal(online.code, 0, online.stdout);
  t.match(online.stdout, `ok      The running agent of gw-t listens on mqtt://127.0.0.1:${port}.\n`);

  const own = await new Program("windfarm", ["status", "--config", "agent.config.yaml"], { cwd: folder })
    .ended;
  t.equal(own.code, 0);
});

t.test("a page's port that is taken does not stop the collecting", async (t) => {
  const kinesis = await stubOf(t);
  const port = await takenPort(t);
  const page = `http://127.0.0.1:${port}`;
  const agent = run(t, t.testdir({ "agent.config.yaml": configText(kinesis, undefined, page) }));
  const { listen } = await bannerOf(agent);
  await publish(listen);
  await kinesis.until(() => kinesis.counts.readings === 1);
  t.match(agent.stdout, new RegExp(`"level":"error".*${port}`));
  t.equal((await agent.kill("SIGTERM")).code, 0);
});

t.test("the log never holds a secret of the configuration", async (t) => {
  const kinesis = await stubOf(t);
  const keys =
    "static: { access_key_id: AKIALOCAL, secret_access_key: s3cret-key, session_token: s3cret-token }";
  const text = configText(kinesis).replace("flush_every", `credentials: { ${keys} }, flush_every`);
  const folder = t.testdir({ "agent.config.yaml": `${text}log: { level: trace }\n` });
  t.ok(readFileSync(join(folder, "agent.config.yaml"), "utf8").includes("s3cret-key"));
  const agent = run(t, folder);
  await publish((await bannerOf(agent)).listen);
  await kinesis.until(() => kinesis.counts.readings === 1);
  const { stdout, stderr } = await agent.kill("SIGTERM");
  t.notMatch(stdout + stderr, /s3cret/);
});
