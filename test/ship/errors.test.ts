import { once } from "node:events";
import { createServer } from "node:net";
import t from "tap";
import { Fault } from "../../agent/errors.ts";
import { classify, classifyRecords } from "../../agent/ship/errors.ts";
import { KinesisSink } from "../../agent/ship/kinesis.ts";
import { Link } from "../../agent/ship/link.ts";
import type { StreamSettings } from "../../agent/ship/settings.ts";
import { type StubFault, startKinesisStub } from "../helpers/kinesis-stub.ts";
import { readableLog, shipSettings } from "../helpers/ship-rig.ts";

const place = { stream: "windfarm-readings", region: "us-east-1" };
const record = { key: "AAAAAAAA", data: Buffer.from("{}\n") };

/** What a real request comes to grief on. */
async function grief(settings: StreamSettings): Promise<Fault> {
  const clock = { now: Date.now, monotonicMs: () => performance.now() };
  const sink = new KinesisSink(settings, new Link(settings, {}), {
    log: readableLog().log,
    ...clock,
    env: {},
  });
  try {
    const failed = await sink.put([record]);
    return new Fault("none", `accepted but for ${failed.length}`);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  } finally {
    sink.close();
  }
}

const HOUR_AGO = new Date(Date.now() - 3_600_000).toUTCString();
const exception = (type: string, status = 400, headers = {}): StubFault => ({
  kind: "exception",
  status,
  type,
  headers,
});

const ANSWERS: [string, StubFault, string][] = [
  ["access denied", exception("AccessDeniedException"), "ship.access_denied"],
  ["an expired token", exception("ExpiredTokenException"), "ship.credentials_expired"],
  ["an unknown key", exception("UnrecognizedClientException"), "ship.credentials_invalid"],
  ["a wrong secret", exception("InvalidSignatureException"), "ship.credentials_invalid"],
  [
    "a signature of another hour",
    exception("InvalidSignatureException", 400, { date: HOUR_AGO }),
    "ship.clock",
  ],
  ["a missing stream", exception("ResourceNotFoundException"), "ship.stream_missing"],
  ["throttling", exception("ProvisionedThroughputExceededException"), "ship.throttled"],
  ["a limit", exception("LimitExceededException"), "ship.throttled"],
  ["a disabled key", exception("KMSDisabledException"), "ship.encryption"],
  ["an internal failure", exception("InternalFailure", 500), "ship.service"],
  ["an unnamed failure", exception("Whatever", 503), "ship.service"],
  ["an unnamed refusal", exception("Whatever", 403), "ship.access_denied"],
  ["a request that is none", exception("ValidationException"), "ship.invalid_request"],
  ["a proxy that has enough", exception("Whatever", 429), "ship.throttled"],
  ["a connection cut", { kind: "cut" }, "ship.connection_lost"],
  ["silence", { kind: "hang" }, "ship.timeout"],
  ["half an answer", { kind: "hang", headers: true }, "ship.timeout"],
];

for (const [what, fault, code] of ANSWERS) {
  t.test(`${what} is told as ${code}`, async (t) => {
    const stub = await startKinesisStub({ fault: () => fault });
    const timeout = code === "ship.timeout" ? { requestTimeoutMs: 100 } : {};
    const told = await grief(shipSettings(stub.endpoint, timeout));
    await stub.outage();
    t.equal(told.code, code, told.message);
    t.ok(told.retry, "it is tried again");
    t.ok(told.hint, "it says what to try");
    t.match(told.message, "windfarm-readings in us-east-1");
  });
}

t.test("a stream of another name is told as ship.stream_missing", async (t) => {
  const stub = await startKinesisStub({ stream: "another" });
  const told = await grief(shipSettings(stub.endpoint));
  await stub.outage();
  t.match(told, { code: "ship.stream_missing", hint: /kinesis\.stream/ });
});

t.test("a closed port is told as ship.refused", async (t) => {
  const stub = await startKinesisStub();
  await stub.outage();
  t.match(await grief(shipSettings(stub.endpoint)), { code: "ship.refused" });
});

t.test("a plain port behind an https address is told as ship.tls", async (t) => {
  const server = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const told = await grief(shipSettings(`https://127.0.0.1:${port}`));
  server.close();
  t.equal(told.code, "ship.tls", told.message);
});

t.test("system errors that can't be had here are known by their codes", async (t) => {
  const codes = {
    ENOTFOUND: "ship.dns",
    EAI_AGAIN: "ship.dns",
    ENETUNREACH: "ship.unreachable",
    EHOSTUNREACH: "ship.unreachable",
    ETIMEDOUT: "ship.timeout",
    CERT_NOT_YET_VALID: "ship.clock",
    CERT_HAS_EXPIRED: "ship.clock",
    SELF_SIGNED_CERT_IN_CHAIN: "ship.tls",
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "ship.tls",
    ERR_TLS_CERT_ALTNAME_INVALID: "ship.tls",
  };
  for (const [code, expected] of Object.entries(codes)) {
    const error = Object.assign(new Error("as the system says"), { code });
    t.equal(classify(error, place, 0).code, expected, code);
    const wrapped = new Error("as the client wraps it", { cause: error });
    t.equal(classify(wrapped, place, 0).code, expected, `${code} as a cause`);
    t.equal(
      classify(new AggregateError([error, error]), place, 0).code,
      expected,
      `${code} on every address`,
    );
  }
  t.equal(classify("a text", place, 0).code, "ship.unknown");
  t.equal(classify(undefined, place, 0).code, "ship.unknown");
});

t.test("of failed records the throttled ones name the fault", async (t) => {
  t.equal(
    classifyRecords(["InternalFailure", "ProvisionedThroughputExceededException"], place).code,
    "ship.throttled",
  );
  t.equal(classifyRecords(["InternalFailure"], place).code, "ship.service");
  t.equal(classifyRecords(["something new"], place).code, "ship.service");
});

t.test("a fault keeps what it was told, in one line of bearable length", async (t) => {
  const { message } = classify(new Error(`two\nlines ${"x".repeat(1000)}`), place, 0);
  t.match(message, "two lines");
  t.notMatch(message, "\n");
  t.ok(message.length < 500);
  const fault = new Fault("ship.dns", "told already");
  t.equal(classify(fault, place, 0), fault);
});
