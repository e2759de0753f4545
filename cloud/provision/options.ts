/** The command line of `npm run provision`. */

import { resolve } from "node:path";
import yargs from "yargs";
import { EXIT, Fault } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { STAGES } from "../settings.ts";
import { GATEWAY_NAME } from "./onboard.ts";

export interface ProvisionOptions {
  gateway: string;
  stage: string;
  site: string;
  /** Where the folder for the gateway is written. */
  out: string;
  /** Where it will lie on the gateway. */
  deviceFolder: string;
  dryRun: boolean;
  revoke: boolean;
  json: boolean;
}

/** Throws a Fault for wrong usage; undefined when help was asked for and shown. */
export async function parseOptions(argv: readonly string[]): Promise<ProvisionOptions | undefined> {
  let helped = false;
  const parsed = await yargs(argv)
    .scriptName("provision")
    .usage("Makes a gateway known to the cloud and writes the folder that goes onto it.")
    .option("gateway", { type: "string", demandOption: true, describe: "its name: letters, digits, _ and -" })
    .option("stage", { choices: STAGES, default: STAGES[0], describe: "where it belongs" })
    .option("site", { type: "string", default: "farm", describe: "the site, for people" })
    .option("out", {
      type: "string",
      describe: "folder to write, by default data/gateways/<stage>/<gateway>",
    })
    .option("device-folder", {
      type: "string",
      default: "/etc/windfarm",
      describe: "where it will lie on the gateway",
    })
    .option("dry-run", { type: "boolean", default: false, describe: "only say what would be done" })
    .option("revoke", { type: "boolean", default: false, describe: "take the gateway's identity back" })
    .option("json", { type: "boolean", default: false, describe: "the result as JSON" })
    .version(pkg.version)
    .parserConfiguration({ "duplicate-arguments-array": false })
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      throw usage(message ?? error?.message ?? "wrong usage");
    })
    .parseAsync(argv, (_error: unknown, _argv: unknown, output: string) => {
      helped = output !== "";
      if (helped) process.stdout.write(`${output}\n`);
    });
  if (helped) return undefined;
  const { gateway, stage, site } = parsed;
  if (!GATEWAY_NAME.test(gateway))
    throw usage(`"${gateway}" can't be a gateway's name: letters, digits, _ and -, at most 64`);
  if (!/^[a-zA-Z0-9_.,@/:#-]{1,64}$/.test(site))
    throw usage(`"${site}" can't be a site: letters, digits and _.,@/:#-, at most 64`);
  return {
    gateway,
    stage,
    site,
    out: resolve(parsed.out ?? `data/gateways/${stage}/${gateway}`),
    deviceFolder: parsed["device-folder"],
    dryRun: parsed["dry-run"],
    revoke: parsed.revoke,
    json: parsed.json,
  };
}

function usage(message: string): Fault {
  return new Fault("provision.usage", message, { hint: "npm run provision -- --help", exitCode: EXIT.usage });
}
