/** `npm run provision`: what is done goes to stderr, the result to stdout. */

import { setTimeout as sleep } from "node:timers/promises";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { IoTClient } from "@aws-sdk/client-iot";
import { Fault, messageOf } from "../../agent/errors.ts";
import { CREDENTIAL_SECONDS, settingsOf } from "../settings.ts";
import { type ProvisionOptions, parseOptions } from "./options.ts";
import { type Provisioned, provision } from "./provision.ts";

async function main(argv: readonly string[]): Promise<void> {
  const options = await parseOptions(argv);
  if (options === undefined) return;
  const { region } = settingsOf(options.stage);
  const clouds = {
    iot: new IoTClient({ region }),
    cloudFormation: new CloudFormationClient({ region }),
    sleep: async (ms: number): Promise<void> => {
      await sleep(ms);
    },
  };
  const done = await provision(options, clouds, (step) => console.error(`provision: did ${step}`));
  process.stdout.write(options.json ? `${JSON.stringify(done)}\n` : summary(done, options));
}

function summary({ gateway, stage, steps, folder, dryRun }: Provisioned, options: ProvisionOptions): string {
  if (steps.length === 0) {
    // Whoever takes a stolen gateway's identity back must hear that these credentials don't even lead to it.
    const why = options.revoke ? ": there is no such gateway in this account and region" : "";
    return `${gateway} (${stage}): nothing to do${why}\n`;
  }
  if (dryRun) return [`${gateway} (${stage}): would`, ...steps.map((step) => `  ${step}`), ""].join("\n");
  if (folder === undefined) {
    const minutes = CREDENTIAL_SECONDS / 60;
    return `${gateway} (${stage}): identity taken back; credentials it already got end within ${minutes} minutes\n`;
  }
  return [
    `${gateway} (${stage}): ready in ${folder}`,
    `  Copy it to ${options.deviceFolder} on the gateway, the key readable by the service's user alone,`,
    "  then: windfarm check --online",
    "",
  ].join("\n");
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

const HINTS: Readonly<Record<string, string>> = {
  CredentialsProviderError: "Sign in to the stage's account first, e.g. aws sso login, or set AWS_PROFILE.",
  ExpiredTokenException: "Sign in again, e.g. aws sso login.",
  AccessDeniedException:
    "Use a role that may read CloudFormation stacks and manage IoT things and certificates.",
  AccessDenied: "Use a role that may read CloudFormation stacks and manage IoT things and certificates.",
};

// A remark on the far future of Node.js versions; the lockfile keeps this one working.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

// Nobody reads on (`| head -1`): what was begun is done all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
try {
  await main(process.argv.slice(2));
} catch (error) {
  const fault = explained(error);
  console.error(`provision: ${fault.message}`);
  if (fault.hint !== undefined) console.error(`  try: ${fault.hint}`);
  process.exitCode = fault.exitCode;
}
