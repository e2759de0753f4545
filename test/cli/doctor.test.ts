/** `windfarm doctor` names the true cause: one case each, with the real thing in the way. */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import t, { type Test } from "tap";
import { z } from "zod";
import { examine } from "../../agent/cli/doctor/examination.ts";
import { freePorts } from "../../deploy/local/ports.ts";
import { type KinesisStub, type StubFault, startKinesisStub } from "../helpers/kinesis-stub.ts";
import { Program, ROOT } from "../helpers/program.ts";
import { inFolder } from "../helpers/refused.ts";

const Report = z.object({
  ok: z.boolean(),
  verdict: z.string(),
  hint: z.string().optional(),
  checks: z.array(z.object({ name: z.string(), state: z.string(), message: z.string() })),
});
const SHIP = join(ROOT, "test/ship/fixtures");
const OWN = join(ROOT, "test/cli/fixtures");

interface Setup {
  endpoint: string;
  credentials?: string;
  mqtt?: string;
  buffer?: string;
}

class Gateway {
  readonly #t: Test;
  readonly folder: string;
  readonly mqttPort: number;

  private constructor(t: Test, folder: string, mqttPort: number) {
    this.#t = t;
    this.folder = folder;
    this.mqttPort = mqttPort;
  }

  static async create(t: Test, { endpoint, credentials, mqtt = "", buffer }: Setup): Promise<Gateway> {
    const [mqttPort = 0, page = 0] = await freePorts(2);
    const lines = [
      "version: 1",
      "gateway: { id: gw-d }",
      `mqtt: { listen: "mqtt://127.0.0.1:${mqttPort}"${mqtt} }`,
      `buffer: { path: ${buffer ?? "state"}/buffer.db, ballast: 0B, max_size: 1MiB, commit_linger: 0ms }`,
      `kinesis: { region: us-east-1, endpoint: "${endpoint}", request_timeout: 2s, flush_every: 10ms,`,
      `  credentials: { ${credentials ?? "static: { access_key_id: k, secret_access_key: s }"} } }`,
      `status: { listen: "http://127.0.0.1:${page}" }`,
      "",
    ];
    const folder = mkdtempSync(join(tmpdir(), "windfarm-doctor-"));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "agent.config.yaml"), lines.join("\n"));
    writeFileSync(join(folder, "users"), "users: []\n");
    return new Gateway(t, folder, mqttPort);
  }

  async run(): Promise<Program> {
    const agent = new Program("windfarm", ["run"], { cwd: this.folder });
    this.#t.teardown(() => agent.kill("SIGKILL"));
    await agent.says("collects for gw-d");
    return agent;
  }

  async publish(): Promise<void> {
    const client = await connectAsync(`mqtt://127.0.0.1:${this.mqttPort}`);
    const reading = { id: "PP_0", data: 0.97, type: "Power Factor", date: "2026-11-22T12:00:00Z" };
    await client.publishAsync("windfarm/T01/power-factor", JSON.stringify(reading), { qos: 1 });
    await client.endAsync();
  }

  /** What doctor finds, without a process of its own. */
  async examined() {
    const { exitCode, ...report } = await inFolder(this.folder, () => examine("agent.config.yaml"));
    return { ...report, ok: exitCode === 0, code: exitCode };
  }

  /** What doctor says. */
  async doctor(env: NodeJS.ProcessEnv = {}) {
    const { stdout, stderr, code } = await new Program("windfarm", ["doctor", "--json"], {
      cwd: this.folder,
      env,
    }).ended;
    if (stdout === "") throw new Error(stderr);
    return { ...Report.parse(JSON.parse(stdout)), code };
  }
}

/** The first check that failed. */
function culprit({ checks }: Pick<z.infer<typeof Report>, "checks">): string | undefined {
  return checks.find(({ state }) => state === "failed")?.name;
}

async function portOf(t: Test, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A gateway whose agent runs and has one reading to send, and a stream that answers so. */
async function running(t: Test, fault?: StubFault): Promise<Gateway> {
  const stub = await stubOf(t);
  if (fault !== undefined) stub.fault = () => fault;
  const gateway = await Gateway.create(t, { endpoint: stub.endpoint });
  const agent = await gateway.run();
  await gateway.publish();
  if (fault === undefined) await stub.until(() => stub.counts.readings === 1);
  else await agent.says("Nothing reaches");
  return gateway;
}

async function stubOf(t: Test): Promise<KinesisStub> {
  const stub = await startKinesisStub();
  t.teardown(() => stub.outage());
  return stub;
}

function exception(type: string): StubFault {
  return { kind: "exception", status: 400, type };
}

t.test("where all is well it says so", async (t) => {
  const report = await (await running(t)).doctor();
  t.match(report, { ok: true, code: 0, verdict: /^The agent runs: Delivering/ });
  t.same(
    report.checks.filter(({ state }) => state === "failed"),
    [],
  );
});

t.test("what the stream answers", async (t) => {
  const cases: [string, StubFault, string, RegExp][] = [
    ["AccessDenied", exception("AccessDeniedException"), "permission", /may not write to the stream/],
    ["a missing stream", exception("ResourceNotFoundException"), "stream", /the stream does not exist/],
    ["a throttled stream", exception("ProvisionedThroughputExceededException"), "throttling", /stream/],
  ];
  for (const [what, fault, name, verdict] of cases) {
    const report = await (await running(t, fault)).examined();
    t.equal(culprit(report), name, what);
    t.match(report, { ok: false, code: 1, verdict, hint: String }, what);
  }
});

t.test("the agent is not running", async (t) => {
  const gateway = await Gateway.create(t, { endpoint: (await stubOf(t)).endpoint });
  const report = await gateway.examined();
  t.equal(culprit(report), "agent");
  t.match(report, { code: 1, verdict: /not running/, hint: /systemctl start windfarm/ });
});

t.test("another program has the sensors' port", async (t) => {
  const port = await portOf(t, createServer());
  const gateway = await Gateway.create(t, { endpoint: (await stubOf(t)).endpoint });
  const file = join(gateway.folder, "agent.config.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(String(gateway.mqttPort), String(port)));
  const report = await gateway.examined();
  t.equal(culprit(report), "port");
  t.match(report, { verdict: /Another program has the sensors' port/, hint: new RegExp(`sport = :${port}`) });
});

t.test("a wrong clock", async (t) => {
  const ahead = new Date(Date.now() + 2 * 3600_000).toUTCString();
  const server = createHttp((_request, response) => {
    response.writeHead(400, { date: ahead, "content-type": "application/x-amz-json-1.1" });
    response.end('{"__type":"InvalidSignatureException","message":"Signature expired"}');
  });
  const gateway = await Gateway.create(t, { endpoint: `http://127.0.0.1:${await portOf(t, server)}` });
  await gateway.run();
  const report = await gateway.examined();
  t.equal(culprit(report), "clock");
  t.match(report.verdict, /clock is wrong: 120 min behind/);
});

t.test("no DNS", async (t) => {
  const gateway = await Gateway.create(t, { endpoint: "https://kinesis.nowhere.invalid" });
  await gateway.run();
  const report = await gateway.examined();
  t.equal(culprit(report), "DNS");
  t.match(report.verdict, /No address is found for kinesis\.nowhere\.invalid/);
});

const mayUnshare = spawnSync("unshare", ["-rn", "true"]).status === 0;
t.test("no route", { skip: mayUnshare ? false : "no network namespaces here" }, async (t) => {
  const gateway = await Gateway.create(t, { endpoint: "https://203.0.113.1" });
  // In a network of its own, with loopback and nothing else, the agent runs and doctor looks.
  const script = [
    "ip link set lo up",
    `env NODE_OPTIONS= ${process.execPath} ${ROOT}/dist/windfarm.js run > log & agent=$!`,
    "until grep -q 'collects for' log; do :; done",
    `env NODE_OPTIONS= ${process.execPath} ${ROOT}/dist/windfarm.js doctor --json; kill -9 $agent`,
  ].join("\n");
  const { stdout } = spawnSync("unshare", ["-rn", "sh", "-c", script], {
    cwd: gateway.folder,
    encoding: "utf8",
  });
  const report = Report.parse(JSON.parse(stdout));
  t.equal(culprit(report), "TCP");
  t.match(report.verdict, /There is no route to 203\.0\.113\.1/);
});

t.test("a captive portal", async (t) => {
  const plain = createHttp((_request, response) => response.writeHead(302, { location: "/login" }).end());
  const cert = {
    cert: readFileSync(join(SHIP, "stranger.pem")),
    key: readFileSync(join(SHIP, "stranger.key")),
  };
  const stranger = createHttps(cert, (_request, response) => response.end("log in"));
  for (const [what, server] of [
    ["that speaks no TLS", plain],
    ["with a certificate of its own", stranger],
  ] as const) {
    const gateway = await Gateway.create(t, { endpoint: `https://127.0.0.1:${await portOf(t, server)}` });
    await gateway.run();
    const report = await gateway.examined();
    t.equal(culprit(report), "TLS", what);
    t.match(report, { verdict: /a captive portal/, hint: /login/ }, what);
  }
});

t.test("the proxy refuses", async (t) => {
  const proxy = createHttp();
  proxy.on("connect", (_request, socket) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
  const HTTPS_PROXY = `http://127.0.0.1:${await portOf(t, proxy)}`;
  const gateway = await Gateway.create(t, { endpoint: "https://192.0.2.1" });
  await gateway.run();
  const report = await gateway.doctor({ HTTPS_PROXY, NO_PROXY: "" });
  t.equal(culprit(report), "proxy");
  t.match(report, { verdict: /The proxy refuses: .* 407/, hint: /kinesis\.proxy/ });
});

/** A credentials provider that answers so, and a gateway with a certificate. */
async function withProvider(
  t: Test,
  status: number,
  message: string,
  pair = [join(SHIP, "device.pem"), join(SHIP, "device.key")],
) {
  const files = { cert: readFileSync(join(SHIP, "server.pem")), key: readFileSync(join(SHIP, "server.key")) };
  const ca = readFileSync(join(SHIP, "ca.pem"));
  const provider = createHttps(
    { ...files, ca, requestCert: true, rejectUnauthorized: false },
    (_request, response) => {
      response.writeHead(status).end(JSON.stringify({ message }));
    },
  );
  const iot = [
    `endpoint: "localhost:${await portOf(t, provider)}"`,
    "role_alias: windfarm-gateway, thing_name: gw-d",
    `cert_file: ${pair[0]}, key_file: ${pair[1]}, ca_file: ${join(SHIP, "ca.pem")}`,
  ];
  const stub = await stubOf(t);
  const gateway = await Gateway.create(t, {
    endpoint: stub.endpoint,
    credentials: `iot: { ${iot.join(", ")} }`,
  });
  await gateway.run();
  return await gateway.examined();
}

t.test("certificate and role alias", async (t) => {
  const revoked = await withProvider(t, 403, "Forbidden");
  t.equal(culprit(revoked), "credentials");
  t.match(revoked, { verdict: /refuses the device.*403/, hint: /certificate is active/ }, "revoked");

  const alias = await withProvider(t, 404, "Role alias does not exist");
  t.equal(culprit(alias), "credentials");
  t.match(alias, { verdict: /the role alias does not exist/, hint: /role_alias/ }, "wrong role alias");

  const expired = await withProvider(t, 403, "Forbidden", [
    join(OWN, "expired.pem"),
    join(OWN, "expired.key"),
  ]);
  t.equal(culprit(expired), "credentials");
  t.match(expired, { verdict: /certificate has expired: .* 2021/, hint: /--rotate/ }, "expired");
});

t.test("the sensors' password is wrong", async (t) => {
  const stub = await stubOf(t);
  const gateway = await Gateway.create(t, { endpoint: stub.endpoint, mqtt: ", users_file: users" });
  await gateway.run();
  const options = { username: "t07", password: "wrong", reconnectPeriod: 0 };
  await t.rejects(connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, options));
  const report = await gateway.examined();
  t.equal(culprit(report), "sensors");
  t.match(report, { verdict: /Sensors are turned away, 1 time: /, hint: /windfarm user add/ });
});

const root = process.getuid?.() === 0 ? false : "only root may mount a disk";
t.test("the disk", { skip: root }, async (t) => {
  const state = mkdtempSync(join(tmpdir(), "windfarm-disk-"));
  const mount = (options: string) => spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", state]);
  t.equal(mount("size=4m").status, 0);
  t.teardown(() => {
    spawnSync("umount", ["-R", state]);
    rmSync(state, { recursive: true });
  });
  const full = await (await Gateway.create(t, { endpoint: "http://127.0.0.1:9", buffer: state })).examined();
  t.equal(culprit(full), "disk");
  t.match(full, { verdict: /is full/, hint: /df -h/ });
  spawnSync("mount", ["-o", "remount,ro,size=64m", state]);
  const readOnly = await (
    await Gateway.create(t, { endpoint: "http://127.0.0.1:9", buffer: state })
  ).examined();
  t.equal(culprit(readOnly), "disk");
  t.match(readOnly, { verdict: /is read-only/, hint: /remount/ });
});

t.test("a wrong configuration, for people", async (t) => {
  const folder = t.testdir({ "agent.config.yaml": "version: 1\ngatewy: {}\n" });
  const { code, stdout } = await new Program("windfarm", ["doctor"], { cwd: folder }).ended;
  t.equal(code, 78);
  t.match(stdout, /^The configuration is wrong: agent\.config\.yaml:1:1: .*\n {2}try: windfarm check/);
});
