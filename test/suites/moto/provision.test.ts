/** Onboarding against an IoT registry and stack outputs that are not this project's own fake. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GetRolePolicyCommand, IAMClient } from "@aws-sdk/client-iam";
import { DescribeRoleAliasCommand, IoTClient, ListThingPrincipalsCommand } from "@aws-sdk/client-iot";
import { App, CfnOutput, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Stream } from "aws-cdk-lib/aws-kinesis";
import { Key } from "aws-cdk-lib/aws-kms";
import t from "tap";
import { namesOf } from "../../../cloud/names.ts";
import { GATEWAY_OUTPUTS } from "../../../cloud/settings.ts";
import { GatewayIdentity } from "../../../cloud/stacks/gateway-identity.ts";
import { featureFlags } from "../../cloud/cdk/build.ts";
import { Program } from "../../helpers/program.ts";
import { CREDENTIALS, Moto, motoMissing, REGION } from "./moto.ts";

const skip = motoMissing();
const FIXTURES = "test/cloud/provision/fixtures";

/** What gateways share, alone in a stack under the pipeline stack's name: moto does not know all of the rest. */
function identityTemplate(): object {
  const app = new App({ context: featureFlags(), builtinCloudFormationValidation: false });
  const stack = new Stack(app, "windfarm-dev-pipeline", { env: { region: REGION } });
  const key = new Key(stack, "Key");
  const stream = Stream.fromStreamArn(
    stack,
    "Stream",
    `arn:aws:kinesis:${REGION}:123456789012:stream/windfarm-readings`,
  );
  const identity = new GatewayIdentity(stack, "Gateway", {
    names: namesOf({ name: "windfarm", stage: "dev" }),
    stream,
    key,
  });
  const values = {
    stream: "windfarm-readings",
    region: REGION,
    roleAlias: identity.roleAlias,
    policy: identity.policy,
  };
  for (const name of ["stream", "region", "roleAlias", "policy"] as const) {
    new CfnOutput(stack, GATEWAY_OUTPUTS[name], { value: values[name] });
  }
  return Template.fromStack(stack).toJSON();
}

/** What the gateways' role denies, as IAM has it. */
async function denied(url: string): Promise<string> {
  const client = { endpoint: url, region: REGION, credentials: CREDENTIALS };
  const [iot, iam] = [new IoTClient(client), new IAMClient(client)];
  try {
    const alias = await iot.send(new DescribeRoleAliasCommand({ roleAlias: "windfarm-dev-gateway" }));
    const RoleName = alias.roleAliasDescription?.roleArn?.split("/").at(-1);
    const policy = new GetRolePolicyCommand({ RoleName, PolicyName: "revoked-certificates" });
    return decodeURIComponent((await iam.send(policy)).PolicyDocument ?? "");
  } finally {
    iot.destroy();
    iam.destroy();
  }
}

t.test("a list is onboarded, one by its own request, rotated, and taken back", { skip }, async (t) => {
  const moto = await Moto.start();
  t.teardown(() => moto.stop());
  await moto.deploy("windfarm-dev-pipeline", identityTemplate());
  const folder = t.testdir({ "list.csv": "gateway,site\ngw-02,north\ngw-03,south\n" });
  const env = { AWS_ENDPOINT_URL: moto.url, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  const provision = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Program("provision", ["--json", ...args], { env }).ended;
    t.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const many = ["--gateways", join(folder, "list.csv"), "--out", folder];
  t.equal((await provision(...many)).length, 2);
  t.same(
    (await provision(...many)).map(({ steps }: { steps: string[] }) => steps.length),
    [0, 0],
  );

  const one = ["--gateway", "gw-01", "--out", join(folder, "gw-01"), "--csr", `${FIXTURES}/gw-01.csr`];
  await provision(...one);
  t.notOk(existsSync(join(folder, "gw-01/private.key")));
  // moto gives every request the same certificate, AWS one of the request's key.
  t.match(readFileSync(join(folder, "gw-01/certificate.pem"), "utf8"), /^-----BEGIN CERTIFICATE-----/);

  await provision(...many, "--rotate");
  await provision(...many, "--finish");
  const ids = ["gw-02", "gw-03"].map(
    (gateway) => JSON.parse(readFileSync(join(folder, gateway, "gateway.json"), "utf8")).certificateId,
  );
  await provision(...many, "--revoke");
  const policy = await denied(moto.url);
  for (const id of ids) t.ok(policy.includes(id), "a revoked certificate is shut out");
});

t.test("a gateway is onboarded, found complete, and taken back", { skip }, async (t) => {
  const moto = await Moto.start();
  t.teardown(() => moto.stop());
  await moto.deploy("windfarm-dev-pipeline", identityTemplate());
  const iot = new IoTClient({ endpoint: moto.url, region: REGION, credentials: CREDENTIALS });
  t.teardown(() => iot.destroy());

  const out = join(t.testdir(), "gw-01");
  const env = { AWS_ENDPOINT_URL: moto.url, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  const provision = (...args: string[]) =>
    new Program("provision", ["--gateway", "gw-01", "--out", out, "--json", ...args], { env }).ended;

  const first = await provision();
  t.equal(first.code, 0, first.stderr);
  t.equal(JSON.parse(first.stdout).steps.length, 6);
  t.match(readFileSync(join(out, "private.key"), "utf8"), /^-----BEGIN RSA PRIVATE KEY-----/);
  t.match(readFileSync(join(out, "agent.config.yaml"), "utf8"), /role_alias: windfarm-dev-gateway/);
  const { principals } = await iot.send(new ListThingPrincipalsCommand({ thingName: "gw-01" }));
  t.equal(principals?.length, 1);

  const second = await provision();
  t.same(JSON.parse(second.stdout).steps, [], second.stderr);

  const revoked = await provision("--revoke");
  t.equal(revoked.code, 0, revoked.stderr);
  await t.rejects(iot.send(new ListThingPrincipalsCommand({ thingName: "gw-01" })), {
    name: "ResourceNotFoundException",
  });
});
