/** The command line of `npm start`. */

import { resolve } from "node:path";
import yargs from "yargs";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { parseOptions as parseSimulatorOptions } from "../../simulators/options.ts";
import { lastOnes } from "../../simulators/repeated.ts";

export type PortChoice = number | "auto" | "configured";

export interface StartOptions {
  configFile: string;
  /** Where the agent's buffer and the local cloud live, absolute. */
  dataFolder: string;
  /** True where the configuration's own places are to be used as they are. */
  ownConfig: boolean;
  fresh: boolean;
  simulate: boolean;
  legacy: boolean;
  /** Passed on to the simulators. */
  simulatorArguments: readonly string[];
  /** Undefined: until Ctrl-C. */
  for: string | undefined;
  /** So much of the past first, or undefined. */
  history: string | undefined;
  mqttPort: PortChoice;
  pagePort: PortChoice;
  kinesisPort: PortChoice;
  controlPort: number | "auto";
}

const DEFAULT_DATA = "data";
const DEFAULT_CONTROL_PORT = 4568;
const LARGEST_PORT = 65_535;

const EXAMPLES: [string, string][] = [
  ["$0", "three turbines, one reading a second of each sensor, until Ctrl-C"],
  ["$0 --history 24h", "with the last 24 hours first, so that the report and the queries have a day to show"],
  ["$0 --turbines 5 --rate 10", "five turbines, 150 readings a second"],
  ["$0 --for 60s", "one minute, then says whether everything arrived (exit code 1 if not)"],
  ["$0 --ports auto --data /tmp/farm", "on free ports, in a folder of its own"],
];

/** Reads the arguments after the program's name; a Fault with exit code 2 for what is wrong. */
export function parseOptions(args: readonly string[]): StartOptions {
  const said = commandLine(args).parseSync();
  const auto = readPorts(said.ports);
  const port = (option: string, value: number | undefined): PortChoice =>
    value === undefined ? (auto ? "auto" : "configured") : portNumber(option, value);
  const controlPort = port("control-port", said.controlPort);
  return {
    configFile: resolve(said.config),
    dataFolder: resolve(said.data ?? DEFAULT_DATA),
    ownConfig: said.data === undefined,
    fresh: said.fresh,
    simulate: said.simulate,
    legacy: said.legacy,
    simulatorArguments: simulatorArguments(said),
    for: said.for,
    history: said.history,
    mqttPort: port("mqtt-port", said.mqttPort),
    pagePort: port("page-port", said.pagePort),
    kinesisPort: port("kinesis-port", said.kinesisPort),
    controlPort: controlPort === "configured" ? DEFAULT_CONTROL_PORT : controlPort,
  };
}

function commandLine(args: readonly string[]) {
  return yargs([...args])
    .scriptName("npm start --")
    .usage(
      "The whole way on this machine: simulated sensors, the agent, a local cloud, the lake.\n\n$0 [options]",
    )
    .option("turbines", { type: "number", default: 3, describe: "how many turbines, three sensors each" })
    .option("rate", { type: "number", default: 1, describe: "readings a second of each sensor" })
    .option("seed", { type: "number", default: 1, describe: "the same seed gives the same values" })
    .option("fault", {
      type: "string",
      array: true,
      nargs: 1,
      default: [],
      describe: "as in npm run simulate",
    })
    .option("legacy", { type: "boolean", default: false, describe: "the original project's messages" })
    .option("simulate", { type: "boolean", default: true, describe: "--no-simulate: without sensors" })
    .option("history", {
      type: "string",
      requiresArg: true,
      describe: "begin with this much of the past, e.g. 24h, if the lake is empty",
    })
    .option("for", {
      type: "string",
      requiresArg: true,
      describe: "stop by itself after this long, e.g. 60s",
    })
    .option("config", { type: "string", default: "agent.config.yaml", describe: "the agent's configuration" })
    .option("data", { type: "string", requiresArg: true, describe: "folder for all data (default: ./data)" })
    .option("fresh", { type: "boolean", default: false, describe: "empty that folder first" })
    .option("ports", { type: "string", requiresArg: true, describe: "auto: any free ports" })
    .option("mqtt-port", { type: "number", describe: "the agent's broker" })
    .option("page-port", { type: "number", describe: "the agent's page" })
    .option("kinesis-port", { type: "number", describe: "the local Kinesis" })
    .option("control-port", {
      type: "number",
      describe: `the local cloud's own (default: ${DEFAULT_CONTROL_PORT})`,
    })
    .example(EXAMPLES)
    .epilogue(
      "Exit codes: 0 all arrived, 1 not all or something failed, 2 wrong usage, 78 wrong configuration.",
    )
    .wrap(110)
    .strict()
    .version(pkg.version)
    .middleware(lastOnes(["fault"]), true)
    .fail((message, error) => {
      if (error instanceof Fault) throw error;
      throw usage(message ?? messageOf(error), "npm start -- --help lists the options");
    });
}

interface SimulatorWords {
  turbines: number;
  rate: number;
  seed: number;
  fault: readonly string[];
  legacy: boolean;
  simulate: boolean;
  for: string | undefined;
  history: string | undefined;
}

/** Wrong values among them are told in the simulator's words, before anything is started. */
function simulatorArguments(said: SimulatorWords): string[] {
  if (!said.simulate && said.history !== undefined) {
    throw usage("--history has nobody to make it with --no-simulate", "leave one of them out");
  }
  if (!said.simulate && said.for !== undefined) {
    throw usage("--for has nothing to wait for with --no-simulate", "leave one of them out");
  }
  const args = [`--turbines=${said.turbines}`, `--rate=${said.rate}`, `--seed=${said.seed}`];
  for (const fault of said.fault) args.push(`--fault=${fault}`);
  if (said.legacy) args.push("--legacy");
  if (said.for !== undefined) args.push(`--for=${said.for}`);
  parseSimulatorOptions([...args, ...historyArgument(said.history)]);
  return args;
}

/** Apart from the others, for a lake that has a past already needs none. */
export function historyArgument(history: string | undefined): string[] {
  return history === undefined ? [] : [`--history=${history}`];
}

function readPorts(text: string | undefined): boolean {
  if (text === undefined || text === "auto") return text === "auto";
  throw usage(
    `--ports ${text} is not known`,
    "--ports auto takes free ports; --mqtt-port and others name one",
  );
}

function portNumber(option: string, value: number): number {
  if (Number.isInteger(value) && value > 0 && value <= LARGEST_PORT) return value;
  throw usage(`--${option} is not a port`, `a whole number from 1 to ${LARGEST_PORT}, or --ports auto`);
}

function usage(message: string, hint: string): Fault {
  return new Fault("start.usage", message, { hint, exitCode: EXIT.usage });
}
