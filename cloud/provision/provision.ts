/** One onboarding or one revocation, from the plan to the last step. */

import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import type { IoTClient } from "@aws-sdk/client-iot";
import { settingsOf } from "../settings.ts";
import { GatewayFolder } from "./folder.ts";
import { planOnboarding, type Step } from "./onboard.ts";
import type { ProvisionOptions } from "./options.ts";
import { readOutputs } from "./outputs.ts";
import { Registry } from "./registry.ts";
import { planRevocation } from "./revoke.ts";

export interface Clouds {
  iot: IoTClient;
  cloudFormation: CloudFormationClient;
  sleep(ms: number): Promise<void>;
}

export interface Provisioned {
  gateway: string;
  stage: string;
  /** The folder for the gateway; none when its identity was taken back. */
  folder?: string;
  dryRun: boolean;
  /** What was done, or would be. Empty when nothing was left to do. */
  steps: string[];
}

/** Calls `did` after each step. */
export async function provision(
  options: ProvisionOptions,
  clouds: Clouds,
  did: (step: string) => void = () => {},
): Promise<Provisioned> {
  const { gateway, stage, out, dryRun, revoke } = options;
  const steps = revoke ? await revocation(options, clouds) : await onboarding(options, clouds);
  const result: Provisioned = { gateway, stage, dryRun, steps: steps.map(({ says }) => says) };
  if (!revoke) result.folder = out;
  if (dryRun) return result;
  for (const { says, act } of steps) {
    await act();
    did(says);
  }
  return result;
}

async function onboarding(options: ProvisionOptions, clouds: Clouds): Promise<Step[]> {
  const { gateway, stage, site, deviceFolder, out } = options;
  return await planOnboarding({
    gateway,
    stage,
    site,
    deviceFolder,
    outputs: await readOutputs(clouds.cloudFormation, settingsOf(stage)),
    registry: new Registry(clouds.iot),
    folder: new GatewayFolder(out),
  });
}

async function revocation({ gateway, stage }: ProvisionOptions, { iot, sleep }: Clouds): Promise<Step[]> {
  return await planRevocation({ gateway, stage, registry: new Registry(iot), sleep });
}
