/**
 * One order, for one gateway or many: what is left to do is found out for all of them before anything is changed, so a
 * gateway that can't be served costs nothing. Then gateway after gateway is brought to where it should be.
 */

import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import type { IAMClient } from "@aws-sdk/client-iam";
import type { IoTClient } from "@aws-sdk/client-iot";
import { Fault } from "../../agent/errors.ts";
import type { FarmNames } from "../names.ts";
import { type StageSettings, settingsOf } from "../settings.ts";
import { Denials } from "./denials.ts";
import { GatewayFolder } from "./folder.ts";
import type { Listed } from "./list.ts";
import { type Onboarding, planOnboarding, type Step } from "./onboard.ts";
import { type GatewayOutputs, readOutputs } from "./outputs.ts";
import { Registry } from "./registry.ts";
import type { CertificateRequest } from "./request.ts";
import { planRevocation } from "./revoke.ts";
import { planFinish, planRotation } from "./rotate.ts";

export interface Order {
  action: "onboard" | "rotate" | "finish" | "revoke";
  stage: string;
  name?: string;
  region?: string;
  gateways: readonly Listed[];
  /** The gateway's own request; only with one gateway. */
  request?: CertificateRequest;
  /** Where a gateway's folder is written. */
  folderOf(gateway: string): string;
  /** Where it will lie on the gateway. */
  deviceFolder: string;
  /** Revokes those gateways of a list that there are, instead of refusing a list with others. */
  knownOnly: boolean;
  dryRun: boolean;
}

export interface Clouds {
  iot: IoTClient;
  iam: IAMClient;
  cloudFormation: CloudFormationClient;
  sleep(ms: number): Promise<void>;
  now(): number;
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

export interface Listener {
  /** After each step. */
  did?(step: string, gateway: string): void;
  /** After all steps of a gateway. */
  finished?(gateway: string): void;
}

/** At once: AWS IoT makes some ten certificates a second, and the client waits and asks again when told to slow down. */
const AT_ONCE = 4;

interface Plan {
  gateway: string;
  steps: Step[];
}

export async function provision(
  order: Order,
  clouds: Clouds,
  listener: Listener = {},
): Promise<Provisioned[]> {
  const { action, stage, gateways, dryRun } = order;
  const settings = settingsOf(stage, { name: order.name, region: order.region });
  const { names } = settings;
  const registry = new Registry(clouds.iot);
  const denials =
    action === "onboard" || action === "rotate" ? undefined : await denialsOf(names, registry, clouds);
  const planner = await plannerOf(order, settings, { registry, denials, clouds });
  const plans = await inParallel(gateways, async (listed) => ({
    gateway: listed.gateway,
    steps: await planner(listed),
  }));
  if (action === "revoke" && !order.knownOnly) refuseUnknown(plans, names.farm);
  denials?.mustHold(plans.flatMap(({ steps }) => steps).filter(({ denies }) => denies).length);
  if (!dryRun) {
    await inParallel(plans, (plan) => carryOut(plan, listener));
    await denials?.tidy();
  }
  return plans.map(({ gateway, steps }) => ({
    gateway,
    stage,
    dryRun,
    steps: steps.map(({ says }) => says),
    ...(action === "revoke" ? {} : { folder: order.folderOf(gateway) }),
  }));
}

interface Means {
  registry: Registry;
  denials: Denials | undefined;
  clouds: Clouds;
}

/** What finds out the steps for one gateway. */
async function plannerOf(
  order: Order,
  settings: StageSettings,
  { registry, denials, clouds }: Means,
): Promise<(listed: Listed) => Promise<Step[]>> {
  const { farm } = settings.names;
  const withdrawal = (gateway: string) => ({ gateway, registry, denials, sleep: clouds.sleep });
  if (order.action === "revoke") return ({ gateway }) => planRevocation(withdrawal(gateway), farm);
  const outputs = await readOutputs(clouds.cloudFormation, settings);
  return (listed) => {
    const onboarding = onboardingOf(order, listed, { farm, outputs, registry });
    if (order.action === "rotate") return planRotation(onboarding);
    if (order.action === "finish") return planFinish(onboarding, withdrawal(listed.gateway));
    return planOnboarding(onboarding);
  };
}

function onboardingOf(
  order: Order,
  { gateway, site }: Listed,
  shared: { farm: string; outputs: GatewayOutputs; registry: Registry },
): Onboarding {
  const { stage, deviceFolder, request } = order;
  const folder = new GatewayFolder(order.folderOf(gateway));
  return {
    gateway,
    site,
    stage,
    deviceFolder,
    folder,
    ...shared,
    ...(request === undefined ? {} : { request }),
  };
}

async function denialsOf(
  names: FarmNames,
  registry: Registry,
  { iam, now }: Clouds,
): Promise<Denials | undefined> {
  const role = await registry.roleBehind(names.roleAlias);
  return role === undefined ? undefined : await Denials.read(iam, role, now);
}

/** A name that was mistyped must not pass as a gateway that was revoked. A single one is told by its empty steps. */
function refuseUnknown(plans: readonly Plan[], farm: string): void {
  const unknown = plans.filter(({ steps }) => steps.length === 0).map(({ gateway }) => gateway);
  if (unknown.length === 0 || plans.length === 1) return;
  const named = unknown.slice(0, 5).join(", ") + (unknown.length > 5 ? ", …" : "");
  throw new Fault(
    "provision.unknown_gateway",
    `${unknown.length} of ${plans.length} gateways are not in ${farm}: ${named}; nothing was changed`,
    { hint: "Correct the list, or take back those that are there with --known-only." },
  );
}

async function carryOut({ gateway, steps }: Plan, { did, finished }: Listener): Promise<void> {
  for (const { says, act } of steps) {
    await act();
    did?.(says, gateway);
  }
  finished?.(gateway);
}

/** Does `act` to all items, a few at once, in their order; when one fails, those under way end and no other begins. */
async function inParallel<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (failed) return;
      try {
        results[index] = await act(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  return results;
}
