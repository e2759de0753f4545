/** `npm run provision`: what is done goes to stderr, the result to stdout. */

import { setTimeout as sleep } from "node:timers/promises";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { IAMClient } from "@aws-sdk/client-iam";
import { IoTClient } from "@aws-sdk/client-iot";
import { Fault, messageOf } from "../../agent/errors.ts";
import { forgiveReaders } from "../command.ts";
import { settingsOf } from "../settings.ts";
import { parseOptions } from "./options.ts";
import { type Listener, type Order, type Provisioned, provision } from "./provision.ts";

async function main(argv: readonly string[]): Promise<void> {
  const options = await parseOptions(argv);
  if (options === undefined) return;
  const { order, many, json } = options;
  const { region } = settingsOf(order.stage, { name: order.name, region: order.region });
  const clouds = {
    iot: new IoTClient({ region, maxAttempts: PATIENT_ATTEMPTS }),
    iam: new IAMClient({ region }),
    cloudFormation: new CloudFormationClient({ region }),
    sleep: async (ms: number): Promise<void> => {
      await sleep(ms);
    },
    now: () => Date.now(),
  };
  const done = await provision(order, clouds, many ? countedTo(order.gateways.length) : told);
  const [only] = done;
  if (json) process.stdout.write(`${JSON.stringify(many ? done : only)}\n`);
  else for (const one of done) process.stdout.write(many ? line(one) : summary(one, order));
  if (many && !json) process.stdout.write(next(order));
}

/** AWS IoT limits how many certificates a second it makes; a list of many meets that. */
const PATIENT_ATTEMPTS = 8;

const told: Listener = { did: (step) => console.error(`provision: did ${step}`) };

function countedTo(all: number): Listener {
  let count = 0;
  return {
    finished: (gateway) => console.error(`provision: ${++count} of ${all}: ${gateway}`),
  };
}

function line({ gateway, steps, dryRun, folder }: Provisioned): string {
  const did = dryRun ? `would ${steps.join(", ")}` : `${steps.length} steps done`;
  return `${gateway}: ${steps.length === 0 ? "nothing to do" : did}${folder === undefined ? "" : ` (${folder})`}\n`;
}

function summary(done: Provisioned, order: Order): string {
  const { gateway, stage, steps, dryRun, folder } = done;
  if (steps.length === 0) {
    // Whoever takes a stolen gateway's identity back must hear that these credentials don't even lead to it.
    const why = order.action === "revoke" ? ": there is no such gateway in this account and region" : "";
    return `${gateway} (${stage}): nothing to do${why}\n`;
  }
  if (dryRun) return [`${gateway} (${stage}): would`, ...steps.map((step) => `  ${step}`), ""].join("\n");
  const at = folder === undefined ? "identity taken back" : `ready in ${folder}`;
  return `${gateway} (${stage}): ${at}\n${next(order)}`;
}

/** What comes after the command. */
function next({ action, dryRun }: Order): string {
  if (dryRun) return "";
  const lines = {
    onboard: [
      "Copy the folder to the gateway, there: sudo windfarm import FOLDER",
      "then: windfarm check --online",
    ],
    rotate: [
      "Copy the folder to the gateway, there: sudo windfarm import FOLDER",
      "The old certificate works on; when windfarm check --online is content, take it back with --finish",
    ],
    finish: ["Only the certificate in the folder opens anything now"],
    revoke: [
      "Credentials it already got open nothing within seconds; windfarm csr or a new key is needed to come back",
    ],
  };
  return lines[action].map((text) => `  ${text}\n`).join("");
}

/** The SDK's own words for what people meet first say little; these say what to do. */
function explained(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const name = error instanceof Error ? error.name : "";
  const hint = HINTS[name];
  return new Fault("provision.aws", `AWS said: ${name === "" ? "" : `${name}: `}${messageOf(error)}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

const RIGHTS =
  "Use a role that may read CloudFormation stacks, manage IoT things and certificates, and, to revoke, change the gateways' role's inline policy (iam:GetRolePolicy, iam:PutRolePolicy).";

const HINTS: Readonly<Record<string, string>> = {
  CredentialsProviderError: "Sign in to the stage's account first, e.g. aws sso login, or set AWS_PROFILE.",
  ExpiredTokenException: "Sign in again, e.g. aws sso login.",
  AccessDeniedException: RIGHTS,
  AccessDenied: RIGHTS,
};

// A remark on the far future of Node.js versions; the lockfile keeps this one working.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

// Nobody reads on (`| head -1`): what was begun is done all the same.
forgiveReaders();
try {
  await main(process.argv.slice(2));
} catch (error) {
  const fault = explained(error);
  console.error(`provision: ${fault.message}`);
  if (fault.hint !== undefined) console.error(`  try: ${fault.hint}`);
  process.exitCode = fault.exitCode;
}
