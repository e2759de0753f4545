/**
 * Takes a gateway's identity back: first its certificate gets no more credentials, then those it got before open nothing
 * more. Run again, it goes on or finds nothing.
 */

import type { Denials } from "./denials.ts";
import { type Step, shortId } from "./onboard.ts";
import { farmHas } from "./owner.ts";
import type { Certificate, Registry } from "./registry.ts";

export interface Withdrawal {
  gateway: string;
  registry: Registry;
  /** None where the farm's role is gone: nothing it gave out opens anything. */
  denials: Denials | undefined;
  /** Resolves after so many ms. */
  sleep(ms: number): Promise<void>;
}

/** AWS IoT detaches in the background; until it has, deleting is refused. */
const DETACH_TRIES = 8;
const FIRST_PAUSE_MS = 250;

/** What is left to take back, in order; nothing is changed yet. Throws a Fault if the gateway is another farm's. */
export async function planRevocation(withdrawal: Withdrawal, farm: string): Promise<Step[]> {
  const { gateway, registry, sleep } = withdrawal;
  if (!(await farmHas(registry, gateway, farm))) return [];
  const steps: Step[] = [];
  for (const certificate of await registry.certificatesOf(gateway)) {
    steps.push(...(await withdraw(withdrawal, certificate)));
  }
  steps.push({
    says: `delete the thing ${gateway}`,
    act: () => untilDetached(() => registry.deleteThing(gateway), sleep),
  });
  return steps;
}

/** The steps that end one certificate of a gateway. */
export async function withdraw(withdrawal: Withdrawal, certificate: Certificate): Promise<Step[]> {
  const { gateway, registry, denials, sleep } = withdrawal;
  const name = `the certificate ${shortId(certificate)}`;
  const detach = { says: `detach ${name}`, act: () => registry.detach(gateway, certificate) };
  const others = (await registry.thingsOf(certificate)).filter((thing) => thing !== gateway);
  if (others.length > 0) return [{ ...detach, says: `${detach.says}, which ${others.join(", ")} uses too` }];

  const steps: Step[] = [];
  if ((await registry.statusOf(certificate)) === "ACTIVE") {
    steps.push({ says: `deactivate ${name}`, act: () => registry.setStatus(certificate, "INACTIVE") });
  }
  if (denials?.has(certificate.id) === false) {
    const says = `shut out credentials that ${name} got`;
    steps.push({ says, denies: true, act: () => denials.add(certificate.id) });
  }
  for (const policy of await registry.policiesOf(certificate)) {
    const says = `detach the policy ${policy} from ${name}`;
    steps.push({ says, act: () => registry.detachPolicy(policy, certificate) });
  }
  steps.push(detach, {
    says: `delete ${name}`,
    act: () => untilDetached(() => registry.deleteCertificate(certificate), sleep),
  });
  return steps;
}

const STILL_ATTACHED = new Set(["DeleteConflictException", "InvalidRequestException"]);

async function untilDetached(act: () => Promise<void>, sleep: (ms: number) => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await act();
      return;
    } catch (error) {
      const busy = error instanceof Error && STILL_ATTACHED.has(error.name);
      if (!busy || tries === DETACH_TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (tries - 1));
    }
  }
}
