/** Takes a gateway's identity back: from the first step on its key opens nothing. Run again, it goes on or finds nothing. */

import { type Step, shortId } from "./onboard.ts";
import type { Certificate, Registry } from "./registry.ts";
import { stageHas } from "./stage.ts";

export interface Revocation {
  gateway: string;
  stage: string;
  registry: Registry;
  /** Resolves after so many ms. */
  sleep(ms: number): Promise<void>;
}

/** AWS IoT detaches in the background; until it has, deleting is refused. */
const DETACH_TRIES = 8;
const FIRST_PAUSE_MS = 250;

/** What is left to take back, in order; nothing is changed yet. Throws a Fault where the gateway is another stage's. */
export async function planRevocation({ gateway, stage, registry, sleep }: Revocation): Promise<Step[]> {
  if (!(await stageHas(registry, gateway, stage))) return [];
  const patiently = (act: () => Promise<void>): Promise<void> => untilDetached(act, sleep);
  const steps: Step[] = [];
  for (const certificate of await registry.certificatesOf(gateway)) {
    steps.push(...(await withdraw(registry, gateway, certificate, patiently)));
  }
  steps.push({
    says: `delete the thing ${gateway}`,
    act: () => patiently(() => registry.deleteThing(gateway)),
  });
  return steps;
}

async function withdraw(
  registry: Registry,
  gateway: string,
  certificate: Certificate,
  patiently: (act: () => Promise<void>) => Promise<void>,
): Promise<Step[]> {
  const name = `the certificate ${shortId(certificate)}`;
  const detach = { says: `detach ${name}`, act: () => registry.detach(gateway, certificate) };
  const others = (await registry.thingsOf(certificate)).filter((thing) => thing !== gateway);
  if (others.length > 0) return [{ ...detach, says: `${detach.says}, which ${others.join(", ")} uses too` }];

  const steps: Step[] = [];
  if ((await registry.statusOf(certificate)) === "ACTIVE") {
    steps.push({ says: `deactivate ${name}`, act: () => registry.setStatus(certificate, "INACTIVE") });
  }
  for (const policy of await registry.policiesOf(certificate)) {
    const says = `detach the policy ${policy} from ${name}`;
    steps.push({ says, act: () => registry.detachPolicy(policy, certificate) });
  }
  steps.push(detach, {
    says: `delete ${name}`,
    act: () => patiently(() => registry.deleteCertificate(certificate)),
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
