/** The simulator's command line. */

import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import yargs from "yargs";
import { isFitName } from "../agent/contract/topics.ts";
import { EXIT, Fault, messageOf } from "../agent/errors.ts";
import pkg from "../package.json" with { type: "json" };
import { describeFaults, type FaultPlan, parseFaults } from "./faults.ts";
import type { PublisherSettings } from "./publisher.ts";
import { lastOnes } from "./repeated.ts";

export interface SimulateOptions {
  turbines: number;
  rate: number;
  seed: number;
  broker: string;
  topicPrefix: string;
  access: PublisherSettings["access"];
  faults: FaultPlan;
  legacy: boolean;
  forMs: number;
  countPerSensor: number;
  history?: { fromMs: number; stepMs: number };
  past?: { count: number; stepMs: number };
  outboxMessages: number;
  drainMs: number;
  once: boolean;
  ledger?: string;
  json: boolean;
}

/** A longer timer would end at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Most turbines one process plays: each is a connection. */
export const MAX_TURBINES = 10_000;
/** Most readings a second of one sensor. */
export const MAX_RATE = 100_000;

const EXAMPLES: [string, string][] = [
  ["$0", "three sensors on each of three turbines, one reading a second each, until Ctrl-C"],
  ["$0 --turbines 3 --rate 50 --for 60s", "9 sensors, 450 readings a second, one minute"],
  ["$0 --history 24h", "the last 24 hours at once, a reading every half minute, then live"],
  [
    "$0 --from 2026-11-22 --step 1m --count 1440 --rate 200",
    "the history of one day, as fast as 1 800 a second",
  ],
  ["$0 --fault duplicates --fault bad=0.2", "a tenth sent twice, and every fifth beside a bad message"],
];

/** Reads the arguments after the program's name; a Fault with exit code 2 for what is wrong. */
export function parseOptions(args: readonly string[]): SimulateOptions {
  const said = commandLine(args).parseSync();
  const rate = inRange("rate", said.rate, Number.MIN_VALUE, MAX_RATE);
  const options: SimulateOptions = {
    turbines: whole("turbines", said.turbines, 1, MAX_TURBINES),
    rate,
    seed: whole("seed", said.seed, 0, Number.MAX_SAFE_INTEGER),
    broker: brokerUrl(said.broker),
    topicPrefix: fitPrefix(said.topic),
    access: readAccess(said),
    faults: parseFaults(said.fault),
    legacy: said.legacy,
    forMs: said.for === undefined ? Number.POSITIVE_INFINITY : milliseconds("for", said.for),
    countPerSensor: said.count === undefined ? Number.POSITIVE_INFINITY : whole("count", said.count, 1, 1e12),
    outboxMessages: whole("outbox", said.outbox, 1, 1e8),
    drainMs: Math.min(milliseconds("drain", said.drain), LONGEST_TIMER_MS),
    once: said.once,
    json: said.json,
  };
  if (said.ledger !== undefined) options.ledger = said.ledger;
  if (said.step !== undefined && said.from === undefined && said.history === undefined) {
    throw usage("--step needs --from or --history", "they say which past the readings are of");
  }
  const history = readHistory(said.from, said.step, rate);
  if (history !== undefined) options.history = history;
  const past = readPast(said.history, said.step, said.from);
  if (past !== undefined) options.past = past;
  return options;
}

function commandLine(args: readonly string[]) {
  return yargs([...args])
    .scriptName("npm run simulate --")
    .usage("The three sensors of wind turbines, as MQTT publishers (3.1.1, QoS 1).\n\n$0 [options]")
    .option("turbines", { type: "number", default: 3, describe: "how many turbines, T01, T02, …" })
    .option("rate", { type: "number", default: 1, describe: "readings a second of each sensor, e.g. 0.0167" })
    .option("seed", { type: "number", default: 1, describe: "the same seed and rate give the same values" })
    .option("broker", {
      type: "string",
      default: "mqtt://127.0.0.1:1883",
      describe: "mqtt:// or mqtts:// URL",
    })
    .option("topic", { type: "string", default: "windfarm", describe: "topics are TOPIC/<turbine>/<sensor>" })
    .option("fault", {
      type: "string",
      array: true,
      nargs: 1,
      default: [],
      describe: "NAME[=NUMBER], repeatable",
    })
    .option("for", { type: "string", describe: "stop after this long, e.g. 60s, 5m" })
    .option("count", { type: "number", describe: "stop after this many readings of each sensor" })
    .option("from", { type: "string", describe: "a history that begins at this date, instead of now" })
    .option("history", {
      type: "string",
      describe: "send this much of the past first, as fast as it is taken, e.g. 24h; then live",
    })
    .option("step", {
      type: "string",
      describe: "time between two readings of the past (default: with --history 30s, with --from 1/rate)",
    })
    .option("legacy", { type: "boolean", default: false, describe: "the original project's sloppy messages" })
    .option("user", { type: "string", describe: "MQTT user name" })
    .option("password", { type: "string", describe: "MQTT password; better: --password-file" })
    .option("password-file", { type: "string", describe: "file holding the MQTT password" })
    .option("ca", { type: "string", describe: "PEM file of the authority the broker's certificate is from" })
    .option("cert", { type: "string", describe: "PEM file of the sensors' own certificate" })
    .option("key", { type: "string", describe: "PEM file of its key" })
    .option("outbox", {
      type: "number",
      default: 100_000,
      describe: "messages a turbine keeps while it can't send",
    })
    .option("drain", {
      type: "string",
      default: "10s",
      describe: "how long to wait for the last acknowledgements",
    })
    .option("once", { type: "boolean", default: false, describe: "give up when the broker can't be reached" })
    .option("ledger", {
      type: "string",
      describe: "append each acknowledged reading to this file, as JSON lines",
    })
    .option("json", { type: "boolean", default: false, describe: "the summary as JSON" })
    .example(EXAMPLES)
    .epilogue(`${describeFaults()}\n\nExit codes: 0 all acknowledged, 1 not all, 2 wrong usage.`)
    .requiresArg(["turbines", "rate", "seed", "broker", "topic", "for", "count", "from", "step", "user"])
    .requiresArg([
      "history",
      "step",
      "password",
      "password-file",
      "ca",
      "cert",
      "key",
      "outbox",
      "drain",
      "ledger",
    ])
    .wrap(110)
    .strict()
    .version(pkg.version)
    .middleware(lastOnes(["fault"]), true)
    .fail((message, error) => {
      if (error instanceof Fault) throw error;
      throw usage(message ?? messageOf(error), "npm run simulate -- --help lists the options");
    });
}

interface AccessWords {
  user?: string | undefined;
  password?: string | undefined;
  passwordFile?: string | undefined;
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

function readAccess(said: AccessWords): PublisherSettings["access"] {
  if (said.password !== undefined && said.passwordFile !== undefined) {
    throw usage("--password and --password-file are both given", "give one of them");
  }
  if ((said.cert === undefined) !== (said.key === undefined)) {
    throw usage("--cert and --key belong together", "give both or neither");
  }
  const access: PublisherSettings["access"] = {};
  if (said.user !== undefined) access.username = said.user;
  if (said.password !== undefined) access.password = said.password;
  if (said.passwordFile !== undefined) {
    access.password = readFile("password-file", said.passwordFile)
      .toString("utf8")
      .replace(/\r?\n$/, "");
  }
  for (const name of ["ca", "cert", "key"] as const) {
    const file = said[name];
    if (file !== undefined) access[name] = readFile(name, file);
  }
  return access;
}

/** Throws a Fault with exit code 2 for files that are no certificates and key, or do not belong together. */
export function assertUsable({ ca, cert, key }: PublisherSettings["access"]): void {
  if (ca !== undefined && !String(ca).includes("-----BEGIN CERTIFICATE-----")) {
    throw usage("--ca holds no certificate", "give a PEM file, with a line -----BEGIN CERTIFICATE-----");
  }
  if (cert === undefined || key === undefined) return;
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const reason = messageOf(cause).split("::").at(-1);
    throw usage(`--cert and --key are of no use together (${reason})`, "give PEM files that belong together");
  }
}

function readHistory(from: string | undefined, step: string | undefined, rate: number) {
  if (from === undefined) return undefined;
  const fromMs = Date.parse(from);
  if (Number.isNaN(fromMs))
    throw usage(`--from ${from} is not a date`, "e.g. 2026-11-22 or 2026-11-22T06:00:00Z");
  return { fromMs, stepMs: step === undefined ? 1000 / rate : milliseconds("step", step) };
}

const PAST_STEP_MS = 30_000;
const LONGEST_PAST = 10_000_000;

function readPast(length: string | undefined, step: string | undefined, from: string | undefined) {
  if (length === undefined) return undefined;
  if (from !== undefined) throw usage("--history and --from are both given", "give one of them");
  const stepMs = step === undefined ? PAST_STEP_MS : milliseconds("step", step);
  const count = Math.floor(milliseconds("history", length) / stepMs);
  if (count >= 1 && count <= LONGEST_PAST) return { count, stepMs };
  throw usage(`--history ${length} is ${count} readings of each sensor`, "e.g. --history 24h --step 30s");
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `60s`, `5m`, `1.5h`, `1d`. */
export function milliseconds(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim());
  if (match !== null) return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  const problem = /^\d+(\.\d+)?$/.test(text.trim()) ? "has no unit" : "is not a duration";
  throw usage(`--${option} ${text} ${problem}`, "give a number and a unit: 500ms, 60s, 5m, 1h");
}

function brokerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !["mqtt:", "mqtts:"].includes(url.protocol) ||
    url.hostname === "" ||
    url.port === "0"
  ) {
    throw usage(
      `--broker ${text} is not the address of a broker`,
      "e.g. mqtt://127.0.0.1:1883 or mqtts://broker:8883",
    );
  }
  return text;
}

function fitPrefix(prefix: string): string {
  if (prefix.split("/").every((level) => isFitName(level) && !/[+#]/.test(level))) return prefix;
  throw usage(
    `--topic ${prefix} can't begin a topic`,
    "a name, or names with / between them, without + and #",
  );
}

function whole(option: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value)) throw usage(`--${option} needs a whole number`, `from ${least} to ${most}`);
  return inRange(option, value, least, most);
}

function inRange(option: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  const range = least === Number.MIN_VALUE ? `more than 0, up to ${most}` : `from ${least} to ${most}`;
  throw usage(`--${option} is out of range`, range);
}

function readFile(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw usage(
      `--${option} ${file} can't be read: ${messageOf(cause)}`,
      "give the path of a file that may be read",
    );
  }
}

function usage(message: string, hint: string): Fault {
  return new Fault("simulate.usage", message, { hint, exitCode: EXIT.usage });
}
