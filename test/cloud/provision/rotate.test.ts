/** A key that never leaves the gateway, and a certificate that is changed while the gateway works on. */

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readRequest } from "../../../cloud/provision/request.ts";
import { onlyCertificate, read, scene, shutOut } from "./scene.ts";

const FIXTURES = "test/cloud/provision/fixtures";
const request = await readRequest(`${FIXTURES}/gw-01.csr`);
const otherRequest = await readRequest(`${FIXTURES}/other.csr`);

t.test("a request is answered without a key, and answered again it finds nothing to do", async (t) => {
  const { aws, out, run } = await scene(t);
  const { steps } = await run({ request });
  t.equal(steps[1], `answer the gateway's request and write its certificate to ${out}`);
  t.ok(aws.changes.includes("POST /certificates"));
  t.notOk(existsSync(join(out, "private.key")));
  t.equal(read(out, "certificate.pem"), read(FIXTURES, "gw-01.pem"));
  t.match(JSON.parse(read(out, "gateway.json")), { gateway: "gw-01", farm: "windfarm-dev", key: "gateway" });
  t.same((await run({ request })).steps, []);
  t.same((await run()).steps, [], "nor without the request");
  t.equal(onlyCertificate(aws).status, "ACTIVE");
});

t.test("a request of another key is no request for the certificate that is there", async (t) => {
  const { aws, run } = await scene(t);
  await run({ request });
  await t.rejects(run({ request: otherRequest }), { code: "provision.other_key", hint: /--rotate --csr/ });
  t.equal(aws.certificates.size, 1);
});

t.test("what is no request is refused in one sentence", async (t) => {
  const file = join(t.testdir(), "request.pem");
  const whole = read(FIXTURES, "gw-01.csr");
  const refused = (message: RegExp) => ({ code: "provision.csr", message });
  for (const text of [
    "",
    "hello",
    read(FIXTURES, "gw-01.pem"),
    whole.replace(/^MII?.*$/m, "AAAA"),
    whole.slice(0, 150),
  ]) {
    writeFileSync(file, text);
    await t.rejects(readRequest(file), refused(/is no certificate signing request$/), text.slice(0, 30));
  }
  writeFileSync(file, `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${whole}`);
  await t.rejects(readRequest(file), refused(/holds a private key; that must not leave the gateway/));
  await t.rejects(readRequest(join(file, "none")), refused(/^can't read the request/));
  writeFileSync(file, `Here is the request:\r\n${whole}\nBye`);
  t.equal((await readRequest(file)).pem, whole);
});

t.test(
  "a rotation makes a second certificate, waits, and takes the first back when it is told to",
  async (t) => {
    const { aws, out, run } = await scene(t);
    await run();
    const old = onlyCertificate(aws);
    const oldKey = read(out, "private.key");
    writeFileSync(join(out, "agent.config.yaml"), "version: 1 # mine\n");

    await run({ action: "rotate" });
    t.equal(aws.certificates.size, 2);
    t.ok(
      [...aws.certificates.values()].every(({ status }) => status === "ACTIVE"),
      "both work",
    );
    t.not(read(out, "private.key"), oldKey);
    t.equal(read(out, "agent.config.yaml"), "version: 1 # mine\n");
    t.same((await run({ action: "rotate" })).steps, [], "no third one");

    await run({ action: "finish" });
    const left = onlyCertificate(aws);
    t.not(left.id, old.id);
    t.equal(left.status, "ACTIVE");
    t.same(shutOut(aws), [old.id]);
    t.same((await run({ action: "finish" })).steps, []);
    t.same([...aws.things.keys()], ["gw-01"]);
  },
);

t.test("a rotation that was cut off goes on with the certificate it made", async (t) => {
  for (const call of ["PUT /target-policies", "PUT /things", "PUT /certificates"]) {
    const { aws, run } = await scene(t);
    await run();
    aws.failOnce = { call, error: "InternalFailureException" };
    await t.rejects(run({ action: "rotate" }), { name: "InternalFailureException" }, call);
    await run({ action: "rotate" });
    const active = [...aws.certificates.values()].filter(({ status }) => status === "ACTIVE");
    t.equal(active.length, 2, call);
    await run({ action: "finish" });
    t.equal(onlyCertificate(aws).status, "ACTIVE");
  }
});

t.test("a gateway whose folder is gone gets its new certificate by its own request", async (t) => {
  const { aws, out, run } = await scene(t);
  await run();
  rmSync(out, { recursive: true });
  await run({ action: "rotate", request });
  t.notOk(existsSync(join(out, "private.key")));
  await t.rejects(run({ action: "rotate", request: otherRequest }), { code: "provision.other_key" });
  await run({ action: "finish" });
  t.match(JSON.parse(read(out, "gateway.json")), { certificateId: onlyCertificate(aws).id, key: "gateway" });
});

t.test(
  "from a key in the folder to a key on the gateway: the old one does not stay in the folder",
  async (t) => {
    const { out, run } = await scene(t);
    await run();
    await run({ action: "rotate", request });
    t.notOk(existsSync(join(out, "private.key")));
  },
);

t.test("what can't be rotated or finished is told before anything is changed", async (t) => {
  const { aws, out, run } = await scene(t);
  const unknown = { code: "provision.unknown_gateway", message: "there is no gateway gw-01 in windfarm-dev" };
  await t.rejects(run({ action: "rotate" }), unknown);
  await t.rejects(run({ action: "finish" }), unknown);
  await run();
  const before = aws.changes.length;
  rmSync(out, { recursive: true });
  await t.rejects(run({ action: "finish" }), { code: "provision.not_rotated", hint: /--rotate/ });
  t.equal(aws.changes.length, before);
});
