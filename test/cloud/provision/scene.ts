/** A farm's cloud for provisioning to work on: the fake with a deployed stage, clients of it, a clock and a folder. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { IAMClient } from "@aws-sdk/client-iam";
import { IoTClient } from "@aws-sdk/client-iot";
import type { Test } from "tap";
import {
  type Clouds,
  type Listener,
  type Order,
  type Provisioned,
  provision,
} from "../../../cloud/provision/provision.ts";
import { FakeAws } from "./fake-aws.ts";

export const OUTPUTS = {
  StreamName: "windfarm-readings",
  Region: "us-east-1",
  GatewayRoleAlias: "windfarm-dev-gateway",
  GatewayPolicy: "windfarm-dev-gateway",
};

export interface Wish extends Partial<Order> {
  gateway?: string;
  out?: string;
}

export interface Scene {
  aws: FakeAws;
  /** gw-01's folder, and the one of all gateways' folders above it. */
  out: string;
  all: string;
  pauses: number[];
  clock: { ms: number };
  /** One order for one gateway. */
  run(wish?: Wish): Promise<Provisioned>;
  /** One order for several, whose folders lie in `all`. */
  runMany(gateways: readonly string[], wish?: Wish, listener?: Listener): Promise<Provisioned[]>;
}

export async function scene(t: Test): Promise<Scene> {
  const aws = new FakeAws();
  aws.deploy("windfarm-dev-pipeline", OUTPUTS);
  const endpoint = await aws.start();
  const client = {
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  };
  const pauses: number[] = [];
  const clock = { ms: Date.parse("2026-11-29T12:00:00Z") };
  const clouds: Clouds = {
    iot: new IoTClient(client),
    iam: new IAMClient(client),
    cloudFormation: new CloudFormationClient(client),
    sleep: async (ms) => {
      pauses.push(ms);
    },
    now: () => clock.ms,
  };
  t.teardown(async () => {
    clouds.iot.destroy();
    clouds.iam.destroy();
    clouds.cloudFormation.destroy();
    await aws.stop();
  });
  const all = t.testdir();
  const runMany: Scene["runMany"] = (
    gateways,
    { gateway: _gateway, out: _out, ...wish } = {},
    listener = {},
  ) =>
    provision(
      {
        action: "onboard",
        stage: "dev",
        gateways: gateways.map((gateway) => ({ gateway, site: "farm" })),
        folderOf: (gateway) => join(all, gateway),
        deviceFolder: "/etc/windfarm",
        knownOnly: false,
        dryRun: false,
        ...wish,
      },
      clouds,
      listener,
    );
  const run: Scene["run"] = async ({ gateway = "gw-01", out, ...wish } = {}) => {
    const [done] = await runMany([gateway], { ...wish, folderOf: () => out ?? join(all, "gw-01") });
    if (done === undefined) throw new RangeError("no result");
    return done;
  };
  return { aws, out: join(all, "gw-01"), all, pauses, clock, run, runMany };
}

export function read(out: string, name: string): string {
  return readFileSync(join(out, name), "utf8");
}

export function onlyCertificate(aws: FakeAws) {
  const [certificate] = aws.certificates.values();
  if (certificate === undefined || aws.certificates.size !== 1)
    throw new RangeError(`${aws.certificates.size} certificates`);
  return certificate;
}

/** The certificates that the gateways' role's policy shuts out. */
export function shutOut(aws: FakeAws): string[] {
  const [text] = aws.rolePolicies.values();
  const statements: { Condition: { StringEquals: Record<string, string[]> } }[] =
    text === undefined ? [] : JSON.parse(text).Statement;
  return statements
    .flatMap(({ Condition }) => Condition.StringEquals["credentials-iot:AwsCertificateId"] ?? [])
    .filter((id) => id !== "none");
}
