/** TLS to a mosquitto that wants client certificates: who gets in, and what is said to who doesn't. */

import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import t from "tap";
import { probeBroker } from "../../../agent/collect/probe.ts";
import { createSubscriber } from "../../../agent/collect/subscriber.ts";
import { PromptIntake, recordingLog, settingsFor } from "../../collect/subscriber-helpers.ts";
import { flood } from "./flood.ts";
import { findMosquitto, Mosquitto } from "./mosquitto.ts";

const found = findMosquitto();
const missing = spawnSync("openssl", ["version"]).error === undefined ? false : "openssl is not installed";
const options = { skip: "reason" in found ? found.reason : missing, timeout: 60_000 };
const path = "path" in found ? found.path : "";

/** An authority, the broker's certificate for localhost, the gateway's. */
function makeCertificates(folder: string): void {
  const run = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  run(
    "req",
    "-x509",
    ...key,
    "-days",
    "2",
    "-subj",
    "/CN=test authority",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
  );
  for (const name of ["localhost", "gateway"]) {
    const names = ["-addext", `subjectAltName=DNS:${name}`];
    const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2"];
    const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
    run("req", "-x509", ...key, ...signed, "-subj", `/CN=${name}`, ...names, ...files);
  }
}

t.test("a broker with TLS and client certificates", options, async (t) => {
  const folder = t.testdir();
  makeCertificates(folder);
  const file = (name: string) => join(folder, name);
  const [plain, secure] = await startBoth(folder, file);
  const url = `mqtts://localhost:${secure}`;
  const tls = { caFile: file("ca.pem"), certFile: file("gateway.pem"), keyFile: file("gateway.key") };

  await t.test("lets in who has a certificate, and readings come", async (t) => {
    const intake = new PromptIntake();
    const { log, lines } = recordingLog();
    const subscriber = createSubscriber(settingsFor(0, { url, tls }), intake, { log });
    await subscriber.start();
    while (!lines.some(({ msg }) => msg.startsWith("subscribed"))) await new Promise((r) => setImmediate(r));
    await (await flood(plain.port, 0, 5000)).done;
    await intake.count(5000);
    t.match(subscriber.stats(), { ready: true, url, closedConnections: {} });
    await subscriber.stop(5000);
  });

  const refusals: [string, Parameters<typeof settingsFor>[1], RegExp][] = [
    ["an unknown authority", { url }, /no TLS with the broker/],
    ["another host name", { url: `mqtts://127.0.0.1:${secure}`, tls }, /no TLS with the broker/],
    [
      "no client certificate",
      { url, tls: { caFile: tls.caFile } },
      /no TLS with the broker|closed the connection|broke the connection off/,
    ],
    ["a missing file", { url, tls: { ...tls, keyFile: file("none.key") } }, /mqtt\.tls\.key_file: ENOENT/],
    [
      "a file that is no key",
      { url, tls: { ...tls, keyFile: file("ca.pem") } },
      /files are of no use together/,
    ],
    ["no TLS where TLS is", { url: `mqtt://localhost:${secure}` }, /.+/],
  ];
  for (const [name, settings, message] of refusals) {
    await t.test(`refuses ${name}, in one sentence`, async (t) => {
      const [check, ...more] = await probeBroker(settingsFor(0, settings));
      t.comment(`${check?.message} — ${check?.hint}`);
      t.match(check, { ok: false, message, hint: String });
      t.strictSame(more, []);
    });
  }
  await plain.stop();
});

/** One mosquitto with two listeners; the second, for TLS, is the first's port of another start. */
async function startBoth(folder: string, file: (name: string) => string): Promise<[Mosquitto, number]> {
  const other = await Mosquitto.start(path, folder, []);
  await other.stop();
  const secure = [
    `listener ${other.port} 127.0.0.1`,
    `cafile ${file("ca.pem")}`,
    `certfile ${file("localhost.pem")}`,
    `keyfile ${file("localhost.key")}`,
    "require_certificate true",
  ];
  return [await Mosquitto.start(path, folder, ["max_queued_messages 0", ...secure]), other.port];
}
