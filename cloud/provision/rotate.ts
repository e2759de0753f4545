/**
 * A gateway's certificate is changed by hand, in two commands with the gateway's own import between them: `--rotate`
 * makes the new one while the old one goes on working, `--finish` takes back every other than the one in the folder.
 */

import { Fault } from "../../agent/errors.ts";
import {
  activeCertificates,
  heldCertificate,
  missingRights,
  newCertificate,
  type Onboarding,
  type Step,
  shortId,
} from "./onboard.ts";
import { farmHas } from "./owner.ts";
import { answers } from "./request.ts";
import { type Withdrawal, withdraw } from "./revoke.ts";

/** What is left to do until the gateway has a second certificate; nothing when it has one already. */
export async function planRotation(order: Onboarding): Promise<Step[]> {
  await mustKnow(order);
  const { gateway, registry } = order;
  const held = await heldCertificate(order);
  const others = (await activeCertificates(registry, gateway)).filter(({ id }) => id !== held?.id);
  const [first, second] = others;
  if (first === undefined || held === undefined) {
    if (second === undefined) return newCertificate(order);
    throw new Fault(
      "provision.two_certificates",
      `${gateway} has the certificates ${shortId(first ?? second)} and ${shortId(second)} already, and ${order.folder.path} holds neither`,
      { hint: "Name the folder that holds the newer one with --out, and take the other back with --finish." },
    );
  }
  if (order.request !== undefined && !answers((await order.folder.certificate()) ?? "", order.request)) {
    throw new Fault(
      "provision.other_key",
      `${gateway} has its second certificate already, and the request was made with another key`,
      {
        hint: "Import the folder on the gateway and take the older one back with --finish; then rotate again.",
      },
    );
  }
  return await missingRights(order, held);
}

/** The steps that take back every certificate of the gateway but the one in the folder. */
export async function planFinish(order: Onboarding, withdrawal: Withdrawal): Promise<Step[]> {
  await mustKnow(order);
  const { gateway, stage, registry, folder } = order;
  const held = await heldCertificate(order);
  if (held === undefined || (await missingRights(order, held)).length > 0) {
    throw new Fault("provision.not_rotated", `${folder.path} holds no working certificate of ${gateway}`, {
      hint: `Make one first: --gateway ${gateway} --stage ${stage} --rotate; or name its folder with --out.`,
    });
  }
  const others = (await registry.certificatesOf(gateway)).filter(({ id }) => id !== held.id);
  const steps: Step[] = [];
  for (const other of others) steps.push(...(await withdraw(withdrawal, other)));
  return steps;
}

async function mustKnow({ gateway, farm, registry }: Onboarding): Promise<void> {
  if (await farmHas(registry, gateway, farm)) return;
  throw new Fault("provision.unknown_gateway", `there is no gateway ${gateway} in ${farm}`, {
    hint: "Correct the name, or onboard it first: the same command without --rotate and --finish.",
  });
}
