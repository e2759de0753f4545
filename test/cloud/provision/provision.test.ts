/** Onboarding brings a gateway to where it should be from wherever it is, and takes it back. */

import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../../../agent/config/load.ts";
import { OUTPUTS, onlyCertificate, read, scene, shutOut } from "./scene.ts";

t.test("a new gateway gets a thing, an active certificate with its policy, and its folder", async (t) => {
  const { aws, out, run } = await scene(t);
  const { steps, folder } = await run();
  t.equal(folder, out);
  t.same(steps, [
    "create the thing gw-01",
    `create a certificate and write its private key to ${out}`,
    "attach the policy windfarm-dev-gateway",
    "attach the certificate to gw-01",
    "activate the certificate",
    `write the configuration to ${out}`,
  ]);
  t.same(aws.things.get("gw-01"), { farm: "windfarm-dev", site: "farm" });
  const certificate = onlyCertificate(aws);
  t.equal(certificate.status, "ACTIVE");
  t.same([...certificate.things], ["gw-01"]);
  t.same([...certificate.policies], ["windfarm-dev-gateway"]);
});

t.test("the private key is the owner's alone, and so is the folder", async (t) => {
  const { out, run } = await scene(t);
  await run();
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  t.equal(mode(join(out, "private.key")), "600");
  t.equal(mode(out), "700");
  t.match(read(out, "private.key"), /BEGIN RSA PRIVATE KEY/);
  t.match(read(out, "certificate.pem"), /BEGIN CERTIFICATE/);
});

t.test("the agent understands the configuration, and finds its identity in it", async (t) => {
  const { out, run } = await scene(t);
  await run();
  const environment = { STATE_DIRECTORY: "/var/lib/windfarm" };
  const config = loadConfig(join(out, "agent.config.yaml"), { environment, files: false });
  t.match(config, {
    gateway: { id: "gw-01", site: "farm" },
    buffer: { path: "/var/lib/windfarm/buffer.db" },
    kinesis: {
      stream: "windfarm-readings",
      region: "us-east-1",
      credentials: {
        kind: "iot",
        endpoint: "c0ffee.credentials.iot.us-east-1.amazonaws.com",
        roleAlias: "windfarm-dev-gateway",
        thingName: "gw-01",
        certFile: "/etc/windfarm/certificate.pem",
        keyFile: "/etc/windfarm/private.key",
      },
    },
  });
  t.notOk("endpoint" in config.kinesis, "Kinesis itself is found by the region");
});

t.test("run again it finds nothing to do and changes nothing", async (t) => {
  const { aws, out, run } = await scene(t);
  await run();
  const key = read(out, "private.key");
  const before = aws.changes.length;
  t.same((await run()).steps, []);
  t.equal(aws.changes.length, before);
  t.equal(read(out, "private.key"), key);
  t.equal(aws.certificates.size, 1);
});

t.test("a dry run says the same steps and does none of them", async (t) => {
  const { aws, out, run } = await scene(t);
  const { steps } = await run({ dryRun: true });
  t.equal(steps.length, 6);
  t.same(aws.changes, []);
  t.throws(() => statSync(out), { code: "ENOENT" });
});

t.test("cut off after any call it goes on where it stopped, with one key that opens something", async (t) => {
  for (const call of [
    "POST /things",
    "POST /keys-and-certificate",
    "PUT /target-policies",
    "PUT /things",
    "PUT /certificates",
    "GET /endpoint",
  ]) {
    const { aws, run } = await scene(t);
    aws.failOnce = { call, error: "InternalFailureException" };
    await t.rejects(run(), { name: "InternalFailureException" }, `${call} fails`);
    await run();
    const active = [...aws.certificates.values()].filter(({ status }) => status === "ACTIVE");
    t.equal(active.length, 1, `one active certificate after ${call} failed`);
    t.same([...(active[0]?.policies ?? [])], ["windfarm-dev-gateway"]);
    t.same((await run()).steps, []);
  }
});

t.test("what somebody took away is put back, step by step", async (t) => {
  const { aws, out, run } = await scene(t);
  await run();
  const certificate = onlyCertificate(aws);
  certificate.status = "INACTIVE";
  certificate.policies.clear();
  certificate.things.clear();
  rmSync(join(out, "agent.config.yaml"));
  t.same((await run()).steps, [
    "attach the policy windfarm-dev-gateway",
    "attach the certificate to gw-01",
    "activate the certificate",
    `write the configuration to ${out}`,
  ]);
  t.equal(onlyCertificate(aws).status, "ACTIVE");
});

t.test("a configuration that was edited is left as it is", async (t) => {
  const { out, run } = await scene(t);
  await run();
  writeFileSync(join(out, "agent.config.yaml"), "version: 1 # mine\n");
  t.same((await run()).steps, []);
  t.equal(read(out, "agent.config.yaml"), "version: 1 # mine\n");
});

t.test("without its key a gateway that has a certificate gets no second one", async (t) => {
  const { aws, out, run } = await scene(t);
  await run();
  rmSync(out, { recursive: true });
  await t.rejects(run(), { code: "provision.key_elsewhere", hint: /--out.*--rotate.*--revoke/ });
  t.equal(aws.certificates.size, 1);
});

t.test("a folder holds one gateway's key", async (t) => {
  const { run } = await scene(t);
  await run();
  await t.rejects(run({ gateway: "gw-02" }), { code: "provision.other_gateway", message: /gw-01.*gw-02/ });
});

t.test(
  "revoking deactivates, shuts out, then detaches and deletes, and run again finds nothing",
  async (t) => {
    const { aws, run } = await scene(t);
    await run();
    const { id } = onlyCertificate(aws);
    const before = aws.changes.length;
    const { folder } = await run({ action: "revoke" });
    t.equal(folder, undefined);
    t.same(
      aws.changes.slice(before).map((call) => call.replace(id, "<id>")),
      [
        "PUT /certificates/<id>",
        "PutRolePolicy windfarm-dev-pipeline-GatewayRole/revoked-certificates",
        "POST /target-policies/windfarm-dev-gateway",
        "DELETE /things/gw-01/principals",
        "DELETE /certificates/<id>",
        "DELETE /things/gw-01",
      ],
    );
    t.equal(aws.certificates.size, 0);
    t.equal(aws.things.size, 0);
    t.same(shutOut(aws), [id]);
    t.same((await run({ action: "revoke" })).steps, []);
  },
);

t.test("another stage's gateway of the same name is neither revoked nor taken over", async (t) => {
  const { aws, out, run } = await scene(t);
  aws.deploy("windfarm-prod-pipeline", OUTPUTS);
  await run();
  const before = aws.changes.length;
  const refused = {
    code: "provision.other_farm",
    message: "gw-01 is here a gateway of windfarm-dev, not of windfarm-prod",
    hint: /windfarm-prod's account.*--name and --stage/,
  };
  await t.rejects(run({ stage: "prod", action: "revoke" }), refused);
  await t.rejects(run({ stage: "prod", action: "revoke", dryRun: true }), refused);
  await t.rejects(run({ stage: "prod", out: join(out, "prod") }), refused);
  t.equal(aws.changes.length, before, "nothing was changed");
  t.equal(onlyCertificate(aws).status, "ACTIVE");
});

t.test("a thing that tells no farm is left alone until somebody says whose it is", async (t) => {
  const { aws, run } = await scene(t);
  aws.things.set("gw-01", {});
  const refused = {
    code: "provision.no_farm",
    hint: /update-thing --thing-name gw-01.*"farm":"windfarm-dev"/,
  };
  await t.rejects(run({ action: "revoke" }), refused);
  await t.rejects(run(), refused);
  t.same(aws.changes, []);
  aws.things.set("gw-01", { farm: "windfarm-dev" });
  await run({ action: "revoke" });
  t.equal(aws.things.size, 0);
});

t.test("a revoked gateway can be onboarded again into the same folder, with a new key", async (t) => {
  const { aws, out, run } = await scene(t);
  await run();
  const old = read(out, "private.key");
  await run({ action: "revoke" });
  await run();
  t.not(read(out, "private.key"), old);
  t.equal(onlyCertificate(aws).status, "ACTIVE");
});

t.test("while AWS still detaches, deleting is tried again", async (t) => {
  const { aws, pauses, run } = await scene(t);
  await run();
  aws.detachLag = 3;
  await run({ action: "revoke" });
  t.same(pauses, [250, 500, 1000]);
  t.equal(aws.certificates.size, 0);
});

t.test("a revocation that was cut off goes on", async (t) => {
  const { aws, run } = await scene(t);
  await run();
  aws.failOnce = { call: "DELETE /certificates", error: "InternalFailureException" };
  await t.rejects(run({ action: "revoke" }));
  await run({ action: "revoke" });
  t.equal(aws.things.size, 0);
});

t.test("a certificate that another thing uses too is detached and lives on", async (t) => {
  const { aws, run } = await scene(t);
  await run();
  const certificate = onlyCertificate(aws);
  certificate.things.add("other");
  const { steps } = await run({ action: "revoke" });
  t.match(steps[0], /which other uses too$/);
  t.same([...certificate.things], ["other"]);
  t.equal(certificate.status, "ACTIVE");
});

t.test("a stage that isn't deployed, or too long ago, is said with what to do", async (t) => {
  const { aws, run } = await scene(t);
  await t.rejects(run({ stage: "prod" }), {
    code: "provision.not_deployed",
    hint: /cdk deploy -c stage=prod/,
  });
  aws.deploy("windfarm-dev-pipeline", { StreamName: "windfarm-readings" });
  await t.rejects(run(), { code: "provision.outputs", message: /no output Region/ });
  t.same(aws.changes, []);
});

t.test("a folder that can't be written costs no certificate", async (t) => {
  const { aws, out, run } = await scene(t);
  writeFileSync(out, "a file stands in the way");
  await t.rejects(run({ out: join(out, "gw-01") }), { code: "provision.folder", hint: /--out/ });
  t.equal(aws.certificates.size, 0);
});
