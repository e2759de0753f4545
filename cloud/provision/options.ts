/** The command line of `npm run provision`. */

import { join, resolve } from "node:path";
import yargs from "yargs";
import { EXIT, Fault } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { STAGES } from "../names.ts";
import { type Listed, readList, unfit } from "./list.ts";
import type { Order } from "./provision.ts";
import { type CertificateRequest, readRequest } from "./request.ts";

export interface ProvisionOptions {
  order: Order;
  /** True where the gateways came from a list: results are a list too. */
  many: boolean;
  json: boolean;
}

/** Throws a Fault for wrong usage; undefined when help was asked for and shown. */
export async function parseOptions(argv: readonly string[]): Promise<ProvisionOptions | undefined> {
  let helped = false;
  const parsed = await commandLine().parseAsync(argv, (_error: unknown, _argv: unknown, output: string) => {
    helped = output !== "";
    if (helped) process.stdout.write(`${output}\n`);
  });
  if (helped) return undefined;
  const { stage, out, json } = parsed;
  const many = parsed.gateways !== undefined;
  if (many && parsed.csr !== undefined)
    throw usage("--csr answers one gateway's request: name it with --gateway");
  if (parsed.csr !== undefined && (parsed.revoke || parsed.finish))
    throw usage("--csr goes with onboarding and --rotate only");
  const request = parsed.csr === undefined ? undefined : await readRequest(parsed.csr);
  const root = resolve(out ?? `data/gateways/${stage}`);
  const order: Order = {
    action: parsed.revoke ? "revoke" : parsed.finish ? "finish" : parsed.rotate ? "rotate" : "onboard",
    stage,
    gateways: await gatewaysOf({ ...parsed, gateway: namedIn(request, parsed.gateway) }),
    folderOf: (gateway) => (out !== undefined && !many ? root : join(root, gateway)),
    deviceFolder: parsed["device-folder"],
    knownOnly: parsed["known-only"],
    dryRun: parsed["dry-run"],
    ...(parsed.name === undefined ? {} : { name: parsed.name }),
    ...(parsed.region === undefined ? {} : { region: parsed.region }),
    ...(request === undefined ? {} : { request }),
  };
  return { order, many, json };
}

function commandLine() {
  return yargs()
    .scriptName("provision")
    .usage(
      "npm run provision -- --gateway gw-01 [--stage dev]\n\nGives gateways their identity, or takes it back.",
    )
    .option("gateway", { type: "string", describe: "The gateway's name: letters, digits, _ and -" })
    .option("gateways", { type: "string", describe: "A CSV file of many gateways: gateway,site" })
    .option("stage", { choices: STAGES, default: STAGES[0], describe: "The stage the gateways belong to" })
    .option("name", { type: "string", describe: "The farm's name, if it was deployed with -c name=…" })
    .option("region", { type: "string", describe: "The farm's region, if it was deployed with -c region=…" })
    .option("site", { type: "string", default: "farm", describe: "The site's name, shown to people" })
    .option("out", {
      type: "string",
      describe:
        "Output folder; by default data/gateways/<stage>/<gateway>; with a list, the folder of all of them",
    })
    .option("device-folder", {
      type: "string",
      default: "/etc/windfarm",
      describe: "Where the folder's files will be on the gateway",
    })
    .option("csr", {
      type: "string",
      describe: "The gateway's certificate request (windfarm csr): its key never leaves it",
    })
    .option("rotate", {
      type: "boolean",
      default: false,
      describe: "Issue a second certificate; the old one keeps working",
    })
    .option("finish", {
      type: "boolean",
      default: false,
      describe: "Revoke all certificates but the one in the folder",
    })
    .option("revoke", { type: "boolean", default: false, describe: "Revoke the gateways' identity" })
    .option("known-only", {
      type: "boolean",
      default: false,
      describe: "With a list: revoke those that exist",
    })
    .option("dry-run", { type: "boolean", default: false, describe: "Only show what would be done" })
    .option("json", { type: "boolean", default: false, describe: "Print JSON" })
    .conflicts("gateway", "gateways")
    .check(({ rotate, finish, revoke }) => {
      if ([rotate, finish, revoke].filter(Boolean).length > 1)
        throw usage("--rotate, --finish and --revoke are three commands: give one of them");
      return true;
    })
    .version(pkg.version)
    .parserConfiguration({ "duplicate-arguments-array": false })
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      throw usage((message ?? error?.message ?? "wrong usage").replaceAll(/\s*\n\s*/g, " "));
    });
}

/** The gateway by its option or its own request; both must mean the same. */
function namedIn(request: CertificateRequest | undefined, gateway: string | undefined): string | undefined {
  const named = request?.gateway;
  if (gateway !== undefined && named !== undefined && named !== gateway)
    throw usage(`the request is that of ${named}, not of ${gateway}`);
  return gateway ?? named;
}

async function gatewaysOf(given: {
  gateway: string | undefined;
  gateways: string | undefined;
  site: string;
}): Promise<Listed[]> {
  const { gateway, gateways, site } = given;
  const one = { gateway: gateway ?? "gw", site };
  const why = unfit(one);
  if (why !== undefined) throw usage(why);
  if (gateways !== undefined) return await readList(gateways, site);
  if (gateway === undefined)
    throw usage("Missing required argument: gateway, or gateways for a list of many");
  return [one];
}

function usage(message: string): Fault {
  return new Fault("provision.usage", message, { hint: "npm run provision -- --help", exitCode: EXIT.usage });
}
