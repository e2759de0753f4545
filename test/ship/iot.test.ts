import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import t, { type Test } from "tap";
import { IotCredentials } from "../../agent/ship/iot.ts";
import { Link } from "../../agent/ship/link.ts";
import type { CredentialSettings } from "../../agent/ship/settings.ts";
import { createShipper } from "../../agent/ship/shipper.ts";
import { startKinesisStub } from "../helpers/kinesis-stub.ts";
import { LineSource } from "../helpers/line-source.ts";
import { readableLog, readings, shipSettings, WARN } from "../helpers/ship-rig.ts";

const FIXTURES = "test/ship/fixtures";
const fixture = (name: string) => join(FIXTURES, name);
const MINUTE_MS = 60_000;

interface Answer {
  status: number;
  body: string;
  date?: string;
}
type Iot = Extract<CredentialSettings, { kind: "iot" }>;

function granted(serial: number, lifeMs: number, nowMs = Date.now()): Answer {
  const credentials = {
    accessKeyId: `key-${serial}`,
    secretAccessKey: "secret",
    sessionToken: "token",
    expiration: new Date(nowMs + lifeMs).toISOString(),
  };
  return { status: 200, body: JSON.stringify({ credentials }), date: new Date(nowMs).toUTCString() };
}

/** A credentials provider that takes certificates of the test authority only. */
async function provider(t: Test, answer: (serial: number) => Answer) {
  const asked: IncomingMessage[] = [];
  const server = createServer(
    {
      cert: readFileSync(fixture("server.pem")),
      key: readFileSync(fixture("server.key")),
      ca: readFileSync(fixture("ca.pem")),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      asked.push(request);
      const { status, body, date } = answer(asked.length);
      response.sendDate = false;
      response.writeHead(status, date === undefined ? {} : { date });
      response.end(body);
    },
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { asked, endpoint: `localhost:${port}` };
}

function device(endpoint: string, changes: Partial<Iot> = {}): Iot {
  return {
    kind: "iot",
    endpoint,
    roleAlias: "windfarm gateway",
    thingName: "gw-01",
    certFile: fixture("device.pem"),
    keyFile: fixture("device.key"),
    caFile: fixture("ca.pem"),
    ...changes,
  };
}

function credentialsOf(iot: Iot) {
  const clock = { monotonicMs: 0 };
  const { lines, log } = readableLog();
  const settings = shipSettings("https://unused", { credentials: iot, requestTimeoutMs: 5000 });
  const credentials = new IotCredentials(iot, settings, {
    agent: new Link(settings, {}).httpsAgent,
    log,
    now: Date.now,
    monotonicMs: () => clock.monotonicMs,
  });
  return { credentials, clock, log: lines };
}

t.test("a device certificate is exchanged for credentials, once for all who wait", async (t) => {
  const { asked, endpoint } = await provider(t, (serial) => granted(serial, 60 * MINUTE_MS));
  const { credentials } = credentialsOf(device(endpoint));
  const [first, second] = await Promise.all([credentials.identity(), credentials.identity()]);
  t.match(first, { accessKeyId: "key-1", secretAccessKey: "secret", sessionToken: "token" });
  t.equal(second.accessKeyId, "key-1");
  t.equal(asked.length, 1);
  t.equal(asked[0]?.url, "/role-aliases/windfarm%20gateway/credentials");
  t.equal(asked[0]?.headers["x-amzn-iot-thingname"], "gw-01");
});

t.test("credentials are renewed before they expire", async (t) => {
  const { asked, endpoint } = await provider(t, (serial) => granted(serial, 60 * MINUTE_MS));
  const { credentials, clock } = credentialsOf(device(endpoint));
  t.equal(credentials.secondsLeft, undefined);
  await credentials.identity();
  clock.monotonicMs = 49 * MINUTE_MS;
  t.ok(Math.abs((credentials.secondsLeft ?? 0) - 11 * 60) <= 1, `${credentials.secondsLeft} s`);
  t.equal((await credentials.identity()).accessKeyId, "key-1");
  clock.monotonicMs = 51 * MINUTE_MS;
  t.equal((await credentials.identity()).accessKeyId, "key-2");
  t.equal(asked.length, 2);
});

t.test("the gateway's clock does not matter for the renewal", async (t) => {
  const then = Date.parse("2031-01-01T00:00:00Z");
  const { asked, endpoint } = await provider(t, (serial) => granted(serial, 60 * MINUTE_MS, then));
  const { credentials, clock } = credentialsOf(device(endpoint));
  await credentials.identity();
  clock.monotonicMs = 51 * MINUTE_MS;
  await credentials.identity();
  t.equal(asked.length, 2);
});

t.test("while the old ones hold, a failed renewal is told once and tried again later", async (t) => {
  const { asked, endpoint } = await provider(t, (serial) =>
    serial === 1 ? granted(1, 60 * MINUTE_MS) : { status: 500, body: "" },
  );
  const { credentials, clock, log } = credentialsOf(device(endpoint));
  await credentials.identity();
  for (clock.monotonicMs = 51 * MINUTE_MS; clock.monotonicMs < 60 * MINUTE_MS; clock.monotonicMs += 10_000) {
    t.equal((await credentials.identity()).accessKeyId, "key-1");
  }
  t.equal(log.filter(({ level }) => level === WARN).length, 1);
  t.ok(asked.length >= 10 && asked.length <= 20, `asked ${asked.length} times in nine minutes`);
  clock.monotonicMs = 61 * MINUTE_MS;
  await t.rejects(credentials.identity(), { code: "ship.service" }, "but not beyond their end");
});

const REFUSALS: [string, Answer, string, RegExp][] = [
  [
    "an inactive certificate",
    { status: 403, body: '{"message":"Access Denied"}' },
    "ship.iot_refused",
    /403 Access Denied/,
  ],
  [
    "an unknown role alias",
    { status: 404, body: '{"message":"Role alias does not exist"}' },
    "ship.role_alias_missing",
    /404/,
  ],
  [
    "a bad request",
    { status: 400, body: '{"message":"Invalid thing name passed"}' },
    "ship.iot_refused",
    /thing name/,
  ],
  ["an answer without credentials", { status: 200, body: "{}" }, "ship.iot_refused", /credentials/],
  ["a page of something else", { status: 200, body: "<html>" }, "ship.iot_refused", /HTTP 200/],
  ["a fault of the provider", { status: 503, body: "" }, "ship.service", /503/],
];
for (const [what, answer, code, message] of REFUSALS) {
  t.test(`${what} is told as ${code}`, async (t) => {
    const { endpoint } = await provider(t, () => answer);
    await t.rejects(credentialsOf(device(endpoint)).credentials.identity(), { code, message });
  });
}

t.test("a certificate of another authority is refused and told so", async (t) => {
  const { asked, endpoint } = await provider(t, (serial) => granted(serial, MINUTE_MS));
  const stranger = { certFile: fixture("stranger.pem"), keyFile: fixture("stranger.key") };
  const { credentials } = credentialsOf(device(endpoint, stranger));
  await t.rejects(credentials.identity(), { code: /ship\.(iot_refused|connection_lost)/ });
  t.equal(asked.length, 0);
});

t.test("a provider whose own certificate is not trusted gets nothing", async (t) => {
  const { endpoint } = await provider(t, (serial) => granted(serial, MINUTE_MS));
  const { credentials } = credentialsOf(device(endpoint, { caFile: fixture("stranger.pem") }));
  await t.rejects(credentials.identity(), { code: "ship.tls" });
});

t.test("files that are missing or hold something else are named", async (t) => {
  const { endpoint } = await provider(t, (serial) => granted(serial, MINUTE_MS));
  const missing = credentialsOf(device(endpoint, { keyFile: fixture("nobody.key") }));
  await t.rejects(missing.credentials.identity(), { code: "ship.credentials_file", message: /nobody\.key/ });
  const wrong = credentialsOf(device(endpoint, { keyFile: fixture("README.md") }));
  await t.rejects(wrong.credentials.identity(), { code: "ship.credentials_file", message: /README\.md/ });
  const unlike = credentialsOf(device(endpoint, { keyFile: fixture("stranger.key") }));
  await t.rejects(unlike.credentials.identity(), { code: "ship.credentials_file" });
});

t.test("a provider that can't be reached is told as what it is", async (t) => {
  const { credentials } = credentialsOf(device("localhost:1"));
  await t.rejects(credentials.identity(), { code: "ship.refused" });
});

t.test("readings are shipped with them, and expired ones are fetched anew", async (t) => {
  const { asked, endpoint } = await provider(t, (serial) => granted(serial, 60 * MINUTE_MS));
  const stub = await startKinesisStub({
    fault: ({ index }) =>
      index === 0 ? { kind: "exception", status: 400, type: "ExpiredTokenException" } : undefined,
  });
  const source = new LineSource();
  source.add(readings(10));
  const settings = shipSettings(stub.endpoint, { credentials: device(endpoint) });
  const shipper = createShipper(settings, source, {
    log: readableLog().log,
    backoff: { baseMs: 1, capMs: 5 },
  });
  shipper.start();
  await source.empty();
  await shipper.stop(1000);
  await stub.outage();
  t.equal(stub.lines.length, 10);
  t.equal(asked.length, 2);
});
