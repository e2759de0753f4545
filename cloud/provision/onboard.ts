/**
 * Makes a gateway known to the cloud, as a list of steps that brings what is there to what should be there.
 * Run again, it finds nothing to do; cut off, it goes on where it stopped.
 */

import { Fault } from "../../agent/errors.ts";
import { deviceConfig } from "./device-config.ts";
import type { GatewayFolder, Identity } from "./folder.ts";
import type { GatewayOutputs } from "./outputs.ts";
import type { Certificate, Registry } from "./registry.ts";
import { STAGE_ATTRIBUTE, stageHas } from "./stage.ts";

export interface Step {
  /** What it does, one clause. */
  says: string;
  act(): Promise<void>;
}

export interface Onboarding {
  gateway: string;
  stage: string;
  site: string;
  deviceFolder: string;
  outputs: GatewayOutputs;
  registry: Registry;
  folder: GatewayFolder;
}

/** Thing names know no point, unlike the agent's gateway ids; the two are the same, so a gateway's name keeps to both. */
export const GATEWAY_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** What is left to do for a gateway, in order; nothing is changed yet. */
export async function planOnboarding(order: Onboarding): Promise<Step[]> {
  const { gateway, stage, registry, folder } = order;
  const hasThing = await stageHas(registry, gateway, stage);
  const certificate = await usableCertificate(order, hasThing);
  const steps: Step[] = [];
  if (!hasThing) {
    steps.push({
      says: `create the thing ${gateway}`,
      act: () => registry.createThing(gateway, { [STAGE_ATTRIBUTE]: stage, site: order.site }),
    });
  }
  if (certificate === undefined) steps.push(...newCertificate(order));
  else steps.push(...(await missingRights(order, certificate)));
  if (!(await folder.hasConfig())) steps.push(configuration(order));
  return steps;
}

/** The certificate in the folder, unless AWS knows it no more. Throws where the gateway has one whose key is elsewhere. */
async function usableCertificate(order: Onboarding, hasThing: boolean): Promise<Certificate | undefined> {
  const { gateway, stage, registry, folder } = order;
  const identity = await folder.identity();
  if (identity !== undefined) {
    refuseOthers(identity, gateway, stage, folder.path);
    const certificate = { id: identity.certificateId, arn: identity.certificateArn };
    const status = await registry.statusOf(certificate);
    if (status === "ACTIVE" || status === "INACTIVE") return certificate;
  }
  const others = hasThing ? await activeCertificates(registry, gateway) : [];
  const [other] = others;
  if (other === undefined) return undefined;
  throw new Fault(
    "provision.key_elsewhere",
    `${gateway} has the certificate ${shortId(other)} already, and its private key is not in ${folder.path}; nobody can fetch it again`,
    {
      hint: `Name the folder that holds it with --out, or take the certificate back first: --gateway ${gateway} --stage ${stage} --revoke.`,
    },
  );
}

function refuseOthers(identity: Identity, gateway: string, stage: string, path: string): void {
  if (identity.gateway === gateway && identity.stage === stage) return;
  throw new Fault(
    "provision.other_gateway",
    `${path} holds the key of ${identity.gateway} in the stage ${identity.stage}, not of ${gateway} in ${stage}`,
    { hint: "Choose another folder with --out: a folder holds one gateway." },
  );
}

async function activeCertificates(registry: Registry, gateway: string): Promise<Certificate[]> {
  const active: Certificate[] = [];
  for (const certificate of await registry.certificatesOf(gateway)) {
    if ((await registry.statusOf(certificate)) === "ACTIVE") active.push(certificate);
  }
  return active;
}

/** The key is on the disk before the certificate opens anything. */
function newCertificate(order: Onboarding): Step[] {
  const { gateway, stage, registry, folder, outputs } = order;
  let made: Certificate | undefined;
  const certificate = (): Certificate => {
    if (made !== undefined) return made;
    throw new Fault("provision.order", "the certificate was not created");
  };
  return [
    {
      says: `create a certificate and write its private key to ${folder.path}`,
      act: async () => {
        await folder.prepare();
        const fresh = await registry.createCertificate();
        await folder.writeIdentity(
          { gateway, stage, certificateId: fresh.id, certificateArn: fresh.arn },
          fresh,
        );
        made = fresh;
      },
    },
    {
      says: `attach the policy ${outputs.policy}`,
      act: () => registry.attachPolicy(outputs.policy, certificate()),
    },
    { says: `attach the certificate to ${gateway}`, act: () => registry.attach(gateway, certificate()) },
    { says: "activate the certificate", act: () => registry.setStatus(certificate(), "ACTIVE") },
  ];
}

async function missingRights(order: Onboarding, certificate: Certificate): Promise<Step[]> {
  const { gateway, registry, outputs } = order;
  const steps: Step[] = [];
  if (!(await registry.policiesOf(certificate)).includes(outputs.policy)) {
    const says = `attach the policy ${outputs.policy}`;
    steps.push({ says, act: () => registry.attachPolicy(outputs.policy, certificate) });
  }
  if (!(await registry.thingsOf(certificate)).includes(gateway)) {
    const says = `attach the certificate to ${gateway}`;
    steps.push({ says, act: () => registry.attach(gateway, certificate) });
  }
  if ((await registry.statusOf(certificate)) !== "ACTIVE") {
    const says = "activate the certificate";
    steps.push({ says, act: () => registry.setStatus(certificate, "ACTIVE") });
  }
  return steps;
}

function configuration({ gateway, site, deviceFolder, outputs, registry, folder }: Onboarding): Step {
  return {
    says: `write the configuration to ${folder.path}`,
    act: async () => {
      const credentialEndpoint = await registry.credentialEndpoint();
      await folder.writeConfig(deviceConfig({ gateway, site, deviceFolder, outputs, credentialEndpoint }));
    },
  };
}

/** Enough of a certificate's id to recognise it by. */
export function shortId({ id }: Certificate): string {
  return `${id.slice(0, 8)}…`;
}
