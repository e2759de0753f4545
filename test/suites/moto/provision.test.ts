/** Onboarding against an IoT registry and stack outputs that are not this project's own fake. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IoTClient, ListThingPrincipalsCommand } from "@aws-sdk/client-iot";
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
