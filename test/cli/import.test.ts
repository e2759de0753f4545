/** A gateway's identity: the request that is made on it, and the folder that comes back. */

import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { z } from "zod";
import { startKinesisStub } from "../helpers/kinesis-stub.ts";
import { Program } from "../helpers/program.ts";
import { refusedIn } from "../helpers/refused.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const skip = hasOpenssl ? false : "no openssl to be the authority";

function windfarm(...args: string[]) {
  return new Program("windfarm", args).ended;
}

/** A certificate for the request, by an authority made for it. */
function signed(folder: string, request: string): string {
  const [csr, ca, key, out] = ["csr", "ca.pem", "ca.key", "cert.pem"].map((name) => join(folder, name));
  writeFileSync(csr ?? "", request);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync(
    "openssl",
    ["req", "-x509", ...curve, "-subj", "/CN=authority", "-keyout", key ?? "", "-out", ca ?? ""],
    { stdio: "ignore" },
  );
  const by = ["-CA", ca ?? "", "-CAkey", key ?? "", "-CAcreateserial", "-days", "7"];
  execFileSync("openssl", ["x509", "-req", "-in", csr ?? "", ...by, "-out", out ?? ""], { stdio: "ignore" });
  return readFileSync(out ?? "", "utf8");
}

/** An installed gateway's folder, and a folder as npm run provision writes it for gw-07, without a key. */
async function begin(t: Test) {
  const stub = await startKinesisStub();
  t.teardown(() => stub.outage());
  const root = t.testdir({
    etc: { "agent.config.yaml": "version: 1\ngateway: { id: gw-01 }\n" },
    stick: {},
    ca: {},
  });
  const [etc, stick] = [join(root, "etc"), join(root, "stick")];
  chmodSync(etc, 0o750);
  const { stdout: request, code } = await windfarm("csr", "--gateway", "gw-07", "--to", etc);
  t.equal(code, 0);
  const config = [
    "version: 1",
    "gateway: { id: gw-07 }",
    'mqtt: { listen: "mqtt://127.0.0.1:1883" }',
    `buffer: { path: ${root}/buffer.db }`,
    `kinesis: { region: us-east-1, endpoint: "${stub.endpoint}", credentials: { static: { access_key_id: k, secret_access_key: s } } }`,
    "",
  ].join("\n");
  writeFileSync(join(stick, "agent.config.yaml"), config);
  writeFileSync(join(stick, "gateway.json"), '{"gateway":"gw-07","stage":"dev"}');
  writeFileSync(join(stick, "certificate.pem"), signed(join(root, "ca"), request));
  return { stub, etc, stick, request, config };
}

t.test("a request is what an authority takes, and asking again gives the same key", { skip }, async (t) => {
  const { etc, request } = await begin(t);
  const verify = spawnSync("openssl", ["req", "-verify", "-noout", "-subject"], {
    input: request,
    encoding: "utf8",
  });
  t.equal(verify.status, 0, verify.stderr);
  t.match(verify.stdout + verify.stderr, /CN ?= ?gw-07/);
  t.match(verify.stdout + verify.stderr, /verify OK/);
  t.equal(statSync(join(etc, "private.key.next")).mode & 0o777, 0o640);
  const key = readFileSync(join(etc, "private.key.next"), "utf8");
  await windfarm("csr", "--gateway", "gw-07", "--to", etc);
  t.equal(readFileSync(join(etc, "private.key.next"), "utf8"), key);
  t.equal(createPrivateKey(key).asymmetricKeyDetails?.namedCurve, "prime256v1");
});

t.test("a waiting key that is of no use is named, and left where it is", async (t) => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  });
  for (const [key, why] of [
    ["-----BEGIN PRIVATE KEY-----\nMIGHAgEA", /private\.key\.next holds no private key that can be read\n/],
    ["", /holds no private key that can be read\n/],
    [rsa.toString(), /private\.key\.next holds no key of an elliptic curve\n/],
  ] as const) {
    const folder = t.testdir({ "private.key.next": key });
    const { code, stderr } = await refusedIn(".", "csr", "--gateway", "gw-07", "--to", folder);
    t.match([code, stderr], [1, why]);
    t.match(stderr, /\n {2}try: move .*private\.key\.next away and ask again/);
    t.equal(readFileSync(join(folder, "private.key.next"), "utf8"), key);
  }
});

t.test("a folder without a key is imported to the key that waits here", { skip }, async (t) => {
  const { etc, stick, config } = await begin(t);
  const { code, stdout, stderr } = await windfarm("import", stick, "--to", etc);
  t.same([code, stderr], [0, ""], stdout);
  const certificate = new X509Certificate(readFileSync(join(etc, "certificate.pem")));
  t.ok(certificate.checkPrivateKey(createPrivateKey(readFileSync(join(etc, "private.key")))));
  t.notOk(existsSync(join(etc, "private.key.next")), "the key of the request has its place now");
  t.equal(readFileSync(join(etc, "agent.config.yaml"), "utf8"), config);
  t.match(readFileSync(join(etc, "agent.config.yaml.old"), "utf8"), /gw-01/, "the one before is kept");
  t.equal(statSync(join(etc, "private.key")).mode & 0o777, 0o640);
  t.match(stdout, /ok: Stream windfarm-readings in us-east-1: ACTIVE/);
});

t.test(
  "a folder with a key says that it must not stay there; this gateway's own configuration does",
  { skip },
  async (t) => {
    const { etc, stick, config } = await begin(t);
    cpSync(join(etc, "private.key.next"), join(stick, "private.key"));
    writeFileSync(join(etc, "agent.config.yaml"), `# mine\n${config}`);
    const { code, stdout } = await windfarm("import", stick, "--to", etc);
    t.equal(code, 0, stdout);
    t.match(stdout, /holds the gateway's private key: delete it there now/);
    t.match(stdout, /was kept; --replace takes the new one/);
    t.match(readFileSync(join(etc, "agent.config.yaml"), "utf8"), /^# mine/);
    await windfarm("import", stick, "--to", etc, "--replace");
    t.equal(readFileSync(join(etc, "agent.config.yaml"), "utf8"), config);
  },
);

t.test("a key and a certificate that were here are kept beside the new ones", { skip }, async (t) => {
  const { etc, stick } = await begin(t);
  writeFileSync(join(etc, "private.key"), "another gateway's key\n");
  writeFileSync(join(etc, "certificate.pem"), "another gateway's certificate\n");
  const { code, stdout } = await windfarm("import", stick, "--to", etc);
  t.equal(code, 0, stdout);
  t.equal(readFileSync(join(etc, "private.key.old"), "utf8"), "another gateway's key\n");
  t.equal(statSync(join(etc, "private.key.old")).mode & 0o777, 0o640);
  t.equal(readFileSync(join(etc, "certificate.pem.old"), "utf8"), "another gateway's certificate\n");
});

t.test(
  "a cloud that can't be reached is told, and the identity is in place all the same",
  { skip },
  async (t) => {
    const { etc, stick, stub } = await begin(t);
    await stub.outage();
    const { code, stdout } = await windfarm("import", stick, "--to", etc, "--json");
    t.equal(code, 1);
    const report = z
      .object({ ok: z.boolean(), online: z.object({ code: z.string() }) })
      .parse(JSON.parse(stdout));
    t.same(report, { ok: false, online: { code: "ship.refused" } });
    t.ok(existsSync(join(etc, "private.key")));
  },
);

t.test("what is not sound is refused before anything is changed", { skip }, async (t) => {
  const { etc, stick } = await begin(t);
  const before = () => [existsSync(join(etc, "private.key")), existsSync(join(etc, "certificate.pem"))];
  const refused = async (why: RegExp, exitCode: number, ...args: string[]) => {
    const { code, stderr } = await refusedIn(".", "import", ...args, "--to", etc);
    t.match([code, stderr], [exitCode, why], String(why));
    t.match(stderr, /\n {2}try: /);
    t.same(before(), [false, false]);
  };
  await refused(/there is no folder \/nowhere/, 2, "/nowhere");
  await refused(/is no gateway's folder: there is no certificate\.pem in it/, 2, etc);
  writeFileSync(join(stick, "private.key"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  await refused(/can't be read/, 1, stick);
  cpSync(join(stick, "..", "ca", "ca.key"), join(stick, "private.key"));
  await refused(/don't belong together/, 1, stick);
  rmSync(join(stick, "private.key"));
  writeFileSync(join(stick, "gateway.json"), '{"gateway":"gw-08"}');
  await refused(/the certificate in .* is gw-08's, the configuration gw-07's/, 1, stick);
  writeFileSync(join(stick, "gateway.json"), '{"gateway":"gw-07"}');
  rmSync(join(etc, "private.key.next"));
  await refused(/holds no key, and none in .* belongs to its certificate/, 1, stick);
  t.equal((await refusedIn(".", "csr", "--gateway", "gw 07", "--to", etc)).code, 2);
});
