/**
 * Makes a gateway known to the cloud, as a list of steps that brings what is there to what should be there.
 * Run again, it finds nothing to do; cut off, it goes on where it stopped.
 */

import { Fault } from "../../agent/errors.ts";
import { deviceConfig } from "./device-config.ts";
import type { GatewayFolder, Identity } from "./folder.ts";
import type { GatewayOutputs } from "./outputs.ts";
import { FARM_ATTRIBUTE, farmHas } from "./owner.ts";
import type { Certificate, Registry } from "./registry.ts";
import { answers, type CertificateRequest } from "./request.ts";

export interface Step {
  /** What it does, one clause. */
  says: string;
  act(): Promise<void>;
  /** True where it takes an entry of the gateways' role's policy, which has little room. */
  denies?: true;
}

export interface Onboarding {
  gateway: string;
  stage: string;
  /** The farm's name and stage, `windfarm-dev`. */
  farm: string;
  site: string;
  deviceFolder: string;
  /** What the gateway asks for with its own key; without it AWS makes the key. */
  request?: CertificateRequest;
  outputs: GatewayOutputs;
  registry: Registry;
  folder: GatewayFolder;
}

/** What is left to do for a gateway, in order; nothing is changed yet. */
export async function planOnboarding(order: Onboarding): Promise<Step[]> {
  const { gateway, farm, registry, folder } = order;
  const hasThing = await farmHas(registry, gateway, farm);
  const certificate = await usableCertificate(order, hasThing);
  const steps: Step[] = [];
  if (!hasThing) {
    steps.push({
      says: `create the thing ${gateway}`,
      act: () => registry.createThing(gateway, { [FARM_ATTRIBUTE]: farm, site: order.site }),
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
  const held = await heldCertificate(order);
  if (held !== undefined) {
    await refuseOtherKey(order);
    return held;
  }
  const others = hasThing ? await activeCertificates(registry, gateway) : [];
  const [other] = others;
  if (other === undefined) return undefined;
  throw new Fault(
    "provision.key_elsewhere",
    `${gateway} has the certificate ${shortId(other)} already, and its private key is not in ${folder.path}; nobody can fetch it again`,
    {
      hint: `Name the folder that holds it with --out, or give the gateway a new one (--gateway ${gateway} --stage ${stage} --rotate), or take the old one back first (--revoke).`,
    },
  );
}

/** The certificate in the folder, unless AWS knows it no more. Throws a Fault if the folder is another gateway's. */
export async function heldCertificate(order: Onboarding): Promise<Certificate | undefined> {
  const identity = await order.folder.identity();
  if (identity === undefined) return undefined;
  refuseOthers(identity, order);
  const certificate = { id: identity.certificateId, arn: identity.certificateArn };
  const status = await order.registry.statusOf(certificate);
  return status === "ACTIVE" || status === "INACTIVE" ? certificate : undefined;
}

/** A request made with another key than the certificate in the folder can't be answered by that certificate. */
async function refuseOtherKey({ gateway, stage, request, folder }: Onboarding): Promise<void> {
  if (request === undefined || answers((await folder.certificate()) ?? "", request)) return;
  throw new Fault(
    "provision.other_key",
    `${gateway} has a certificate already, and the request was made with another key`,
    { hint: `To give it a new one: --gateway ${gateway} --stage ${stage} --rotate --csr FILE.` },
  );
}

function refuseOthers(identity: Identity, { gateway, farm, folder }: Onboarding): void {
  if (identity.gateway === gateway && identity.farm === farm) return;
  throw new Fault(
    "provision.other_gateway",
    `${folder.path} holds the files of ${identity.gateway} of ${identity.farm}, not of ${gateway} of ${farm}`,
    { hint: "Choose another folder with --out: a folder holds one gateway." },
  );
}

export async function activeCertificates(registry: Registry, gateway: string): Promise<Certificate[]> {
  const active: Certificate[] = [];
  for (const certificate of await registry.certificatesOf(gateway)) {
    if ((await registry.statusOf(certificate)) === "ACTIVE") active.push(certificate);
  }
  return active;
}

/** The key is on the disk before the certificate opens anything. */
export function newCertificate(order: Onboarding): Step[] {
  const { gateway, stage, farm, registry, folder, outputs, request } = order;
  let made: Certificate | undefined;
  const certificate = (): Certificate => {
    if (made !== undefined) return made;
    throw new Fault("provision.order", "the certificate was not created");
  };
  return [
    {
      says:
        request === undefined
          ? `create a certificate and write its private key to ${folder.path}`
          : `answer the gateway's request and write its certificate to ${folder.path}`,
      act: async () => {
        await folder.prepare();
        const fresh = await registry.createCertificate(request?.pem);
        const key = request === undefined ? "folder" : "gateway";
        await folder.writeIdentity(
          { gateway, stage, farm, certificateId: fresh.id, certificateArn: fresh.arn, key },
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

export async function missingRights(order: Onboarding, certificate: Certificate): Promise<Step[]> {
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
