import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pino } from "pino";
import t from "tap";
import { KinesisSink } from "../../agent/ship/kinesis.ts";
import { Link } from "../../agent/ship/link.ts";
import type { ShipSettings } from "../../agent/ship/settings.ts";
import { startKinesisStub } from "../helpers/kinesis-stub.ts";
import { shipSettings } from "../helpers/ship-rig.ts";

const deps = { log: pino({ level: "silent" }), now: Date.now, monotonicMs: () => 0, env: {} };
function sinkTo(endpoint: string, changes: Partial<ShipSettings> = {}): KinesisSink {
  const settings = shipSettings(endpoint, changes);
  return new KinesisSink(settings, new Link(settings, {}), deps);
}
const record = (text: string) => ({ key: "aaaaaaaa", data: Buffer.from(text) });

t.test("A request that is given up is closed, and no other", { timeout: 20_000 }, async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((request, response) => {
    sockets.push(request.socket);
    request.resume().on("end", () => server.emit("whole", response));
  }).listen(0, "127.0.0.1");
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sink = sinkTo(`http://127.0.0.1:${port}`, { requestTimeoutMs: 2000 });
  const put = async () => {
    const whole = once(server, "whole");
    const put = sink.put([record("{}\n")]).catch(({ code }) => code);
    const [response] = (await whole) as [ServerResponse];
    return { put, response };
  };
  const first = await put();
  const closed = once(sockets[0] ?? server, "close");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const second = await put();
  t.equal(await first.put, "ship.timeout");
  await closed;
  second.response.setHeader("content-type", "application/x-amz-json-1.1");
  second.response.end('{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1"}]}');
  t.same(await second.put, [], "the other one has its answer");
  const third = await put();
  sink.close();
  t.equal(await third.put, "ship.connection_lost", "a sink that is closed ends what is under way");
});

t.test("Requests that are under way together carry their own records", async (t) => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      bodies.push(body);
      const { Records } = JSON.parse(body);
      const answers = Records.map(() => ({ SequenceNumber: "1", ShardId: "shardId-000000000000" }));
      response.setHeader("content-type", "application/x-amz-json-1.1");
      response.end(JSON.stringify({ FailedRecordCount: 0, Records: answers }));
    });
  }).listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sink = sinkTo(`http://127.0.0.1:${port}`);
  t.teardown(() => sink.close());
  const texts = Array.from({ length: 8 }, (_, index) => `{"id":"${index}"}\n`);
  await Promise.all(texts.map((text) => sink.put([record(text)])));
  const arrived = bodies.map((body) => Buffer.from(JSON.parse(body).Records[0].Data, "base64").toString());
  t.strictSame(arrived.sort(), texts);
});

const entry = {
  SequenceNumber: "49590338271490256608559692538361571095921575989136588898",
  ShardId: "shardId-000000000000",
};
const refused = { ErrorCode: "InternalFailure", ErrorMessage: "Internal service failure." };
/** Answers to a request of two records: the fates of both, or a lie. */
const ANSWERS: readonly (readonly [what: string, said: unknown, failed: readonly number[] | "lie"])[] = [
  ["both accepted", { FailedRecordCount: 0, Records: [entry, entry] }, []],
  [
    "nulls for what is not there",
    { FailedRecordCount: 0, Records: [{ ...entry, ErrorCode: null }, entry] },
    [],
  ],
  ["one refused", { FailedRecordCount: 1, Records: [entry, refused] }, [1]],
  ["both refused", { FailedRecordCount: 2, Records: [refused, refused] }, [0, 1]],
  ["too few failed", { FailedRecordCount: 0, Records: [entry, refused] }, "lie"],
  ["too many failed", { FailedRecordCount: 2, Records: [entry, entry] }, "lie"],
  ["no count", { Records: [entry, entry] }, "lie"],
  ["a count that is a text", { FailedRecordCount: "0", Records: [entry, entry] }, "lie"],
  ["half a failure", { FailedRecordCount: 0.5, Records: [entry, refused] }, "lie"],
  ["too short", { FailedRecordCount: 0, Records: [entry] }, "lie"],
  ["too long", { FailedRecordCount: 0, Records: [entry, entry, entry] }, "lie"],
  ["a hole", { FailedRecordCount: 0, Records: [entry, null] }, "lie"],
  ["a hole beside", { FailedRecordCount: 0, Records: [entry, null, entry] }, "lie"],
  [
    "no sequence number",
    { FailedRecordCount: 0, Records: [entry, { ShardId: "shardId-000000000000" }] },
    "lie",
  ],
  ["an empty one", { FailedRecordCount: 0, Records: [entry, { ...entry, SequenceNumber: "" }] }, "lie"],
  [
    "one that is a word",
    { FailedRecordCount: 0, Records: [entry, { ...entry, SequenceNumber: "yes" }] },
    "lie",
  ],
  [
    "one that is a number",
    { FailedRecordCount: 0, Records: [entry, { ...entry, SequenceNumber: 7 }] },
    "lie",
  ],
  ["a negative one", { FailedRecordCount: 0, Records: [entry, { ...entry, SequenceNumber: "-1" }] }, "lie"],
  ["accepted and refused", { FailedRecordCount: 1, Records: [entry, { ...entry, ...refused }] }, "lie"],
  ["refused for nothing", { FailedRecordCount: 1, Records: [entry, { ErrorCode: "" }] }, "lie"],
  ["records that are none", { FailedRecordCount: 0, Records: ["ok", "ok"] }, "lie"],
  ["records by name", { FailedRecordCount: 0, Records: { 0: entry, 1: entry } }, "lie"],
  ["no records", { FailedRecordCount: 0 }, "lie"],
  ["nothing", {}, "lie"],
  ["a list", [entry, entry], "lie"],
  ["a word", "ok", "lie"],
];

t.test("Only an answer of the right shape, length and count is believed", async (t) => {
  let said: unknown;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/x-amz-json-1.1");
      response.end(JSON.stringify(said));
    });
  }).listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sink = sinkTo(`http://127.0.0.1:${port}`);
  t.teardown(() => sink.close());
  for (const [what, answer, expected] of ANSWERS) {
    said = answer;
    const put = sink.put([record("{}\n"), record("{}\n")]);
    const heard = await put.then(
      (failed) => failed.map(({ index }) => index),
      () => "lie",
    );
    t.strictSame(heard, expected, what);
  }
});

t.test("An answer without end is broken off", async (t) => {
  for (const status of [200, 500]) {
    let sent = 0;
    const server = createServer((request, response) => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
      request.resume().on("end", () => {
        const more = () => {
          while (!response.destroyed && sent < 1e9) {
            sent += 64 * 1024;
            if (!response.write(Buffer.alloc(64 * 1024, 0x20))) break;
          }
        };
        response.on("drain", more);
        more();
      });
    }).listen(0, "127.0.0.1");
    t.teardown(() => server.closeAllConnections());
    t.teardown(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const sink = sinkTo(`http://127.0.0.1:${port}`);
    t.teardown(() => sink.close());
    await t.rejects(sink.put([record("{}\n")]), {
      code: "ship.invalid_request",
      message: /longer than/,
    });
    t.ok(sent < 50e6, `${sent} bytes were taken of an answer with status ${status}`);
  }
});

t.test(
  "A source of credentials that says nothing holds up one request, not all",
  { timeout: 30_000 },
  async (t) => {
    const folder = t.testdir({ silent: "" });
    const pidFile = join(folder, "pid");
    const answer = JSON.stringify({ Version: 1, AccessKeyId: "late", SecretAccessKey: "late" });
    const script = `if [ -e ${folder}/silent ]; then echo $$ > ${pidFile}; exec sleep 600; fi; echo '${answer}'`;
    writeFileSync(join(folder, "source.sh"), script);
    writeFileSync(
      join(folder, "config"),
      `[profile windfarm]\ncredential_process = sh ${folder}/source.sh\n`,
    );
    const env = { AWS_PROFILE: "windfarm", AWS_CONFIG_FILE: join(folder, "config") };
    for (const [name, value] of Object.entries(env)) {
      const before = process.env[name];
      process.env[name] = value;
      t.teardown(() => {
        if (before === undefined) delete process.env[name];
        else process.env[name] = before;
      });
    }
    const stub = await startKinesisStub();
    t.teardown(() => stub.outage());
    const settings = shipSettings(stub.endpoint, {
      requestTimeoutMs: 1500,
      credentials: { kind: "default" },
    });
    const sink = new KinesisSink(settings, new Link(settings, {}), { ...deps, env });
    t.teardown(() => sink.close());
    const packed = { key: "aaaaaaaa", data: gzipSync("{}\n") };
    await t.rejects(sink.put([packed]), { code: "ship.timeout" });
    process.kill(Number(readFileSync(pidFile, "utf8")));
    rmSync(join(folder, "silent"));
    t.same(await sink.put([packed]), []);
  },
);
