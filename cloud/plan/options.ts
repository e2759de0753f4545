/** The command line of `npm run plan`. */

import yargs from "yargs";
import { EXIT, Fault } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { STAGES } from "../names.ts";
import type { Fleet } from "./traffic.ts";

export interface PlanOptions {
  fleet: Fleet;
  stage: string;
  json: boolean;
}

const MAX_GATEWAYS = 1_000_000;
const MAX_TURBINES = 10_000;
const MAX_RATE = 100_000;

/** Throws a Fault for wrong usage; undefined when help was asked for and shown. */
export async function parseOptions(argv: readonly string[]): Promise<PlanOptions | undefined> {
  let helped = false;
  const said = await yargs()
    .scriptName("plan")
    .usage(
      "npm run plan -- --gateways 1000 --turbines 30 --rate 1\n\nWhat a fleet needs of AWS, and what it costs a month.",
    )
    .option("gateways", { type: "number", default: 1, describe: "Number of gateways" })
    .option("turbines", {
      type: "number",
      default: 30,
      describe: "Turbines per gateway, three sensors each",
    })
    .option("rate", { type: "number", default: 1, describe: "Readings per second and sensor" })
    .option("stage", {
      choices: STAGES,
      default: "prod" as const,
      describe: "The stage whose settings apply",
    })
    .option("json", { type: "boolean", default: false, describe: "Print JSON" })
    .version(pkg.version)
    .parserConfiguration({ "duplicate-arguments-array": false })
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      throw usage((message ?? error?.message ?? "wrong usage").replaceAll(/\s*\n\s*/g, " "));
    })
    .parseAsync(argv, (_error: unknown, _argv: unknown, output: string) => {
      helped = output !== "";
      if (helped) process.stdout.write(`${output}\n`);
    });
  if (helped) return undefined;
  const fleet = {
    gateways: whole("gateways", said.gateways, MAX_GATEWAYS),
    turbines: whole("turbines", said.turbines, MAX_TURBINES),
    rate: said.rate,
  };
  if (!(said.rate > 0 && said.rate <= MAX_RATE))
    throw usage(`--rate must be above 0 and at most ${MAX_RATE}, in readings a second of a sensor`);
  return { fleet, stage: said.stage, json: said.json };
}

function whole(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw usage(`--${name} must be a whole number from 1 to ${most}`);
}

function usage(message: string): Fault {
  return new Fault("plan.usage", message, { hint: "npm run plan -- --help", exitCode: EXIT.usage });
}
