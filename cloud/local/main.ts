/** `npm run cloud`: the local cloud alone, until Ctrl-C. */

import { resolve } from "node:path";
import pino from "pino";
import pretty from "pino-pretty";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { EXIT } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { debugOption, endWith, failUsage, forgiveReaders, usageFault } from "../command.ts";
import { LAYOUT } from "../layout.ts";
import { type CloudSettings, LocalCloud } from "./cloud.ts";
import { DEFAULT_DATA } from "./places.ts";
import { durationMs, sizeBytes } from "./units.ts";

// The SDK would announce on every start that it will drop Node 20; the lockfile keeps the version that has it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** As Kinesis has it (CreateStream). */
const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;
/** As the agent's kinesis.region. */
const REGION_NAME = /^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)+$/;
const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

/** What AWS does: Firehose's usual buffer, at least once, shards with limits, a job every hour. */
const LIKE_AWS = { interval: "60s", repeated: 0.05, throttled: true, curateEvery: "1h" } as const;
const AT_ONCE = { interval: "2s", repeated: 0, throttled: false, curateEvery: "1ms" } as const;
/** Bytes kinesis-local takes, and keeps in memory, before a fresh one takes its place. */
const LIFE_BYTES = 256 * 1024 * 1024;

function options() {
  return yargs(hideBin(process.argv))
    .scriptName("npm run cloud --")
    .usage("$0\n\nKinesis, Firehose, S3, Glue and the Data Catalog in a box, on 127.0.0.1 only.")
    .option("port", { type: "number", default: 4567, describe: "Port of the Kinesis endpoint; 0 for any" })
    .option("control-port", {
      type: "number",
      default: 4568,
      describe: "Port for status and flush; 0 for any",
    })
    .option("data", { type: "string", default: DEFAULT_DATA, describe: "Folder for all data" })
    .option("stream", {
      type: "string",
      default: LAYOUT.stream,
      describe: "The stream, created if it is missing",
    })
    .option("shards", { type: "number", default: 2, describe: "Shards of a new stream" })
    .option("region", { type: "string", default: "us-east-1", describe: "Region it pretends to be in" })
    .option("like-aws", {
      type: "boolean",
      default: false,
      describe:
        "Behave like AWS: buffer for a minute, deliver some objects twice, throttle per shard, load the table once an hour",
    })
    .option("buffer-interval", { type: "string", describe: "Time until an object is written (2s or 60s)" })
    .option("buffer-size", {
      type: "string",
      default: "5MiB",
      describe: "Size at which an object is written",
    })
    .option("curate-every", { type: "string", describe: "Shortest time between two loads of the table" })
    .option("threads", { type: "number", describe: "Threads of the engine that loads the table (default 2)" })
    .option("log-level", {
      choices: LOG_LEVELS,
      default: "info" as const,
      describe: "Least severe level logged",
    })
    .option("debug", debugOption)
    .strict()
    .version(pkg.version)
    .parserConfiguration({ "duplicate-arguments-array": false, "parse-positional-numbers": false })
    .fail(failUsage)
    .parseSync();
}

/** The settings asked for; a Fault with exit code 2 for what is wrong. */
function settingsOf(asked: ReturnType<typeof options>): CloudSettings {
  for (const name of ["port", "control-port"] as const) wholeBetween(name, asked[name], 0, 65_535);
  wholeBetween("shards", asked.shards, 1, 50);
  if (asked.threads !== undefined) wholeBetween("threads", asked.threads, 1, 64);
  fit("stream", asked.stream, STREAM_NAME, "letters, digits, point, underscore and hyphen, at most 128");
  fit("region", asked.region, REGION_NAME, "a name such as us-east-1");
  const { port, controlPort, stream, shards, region, threads } = asked;
  const manners = asked.likeAws ? LIKE_AWS : AT_ONCE;
  return {
    ...{ port, controlPort, stream, shards, region, threads },
    data: resolve(asked.data),
    intervalMs: durationMs(asked.bufferInterval ?? manners.interval, "--buffer-interval"),
    maxBytes: sizeBytes(asked.bufferSize, "--buffer-size"),
    curateEveryMs: durationMs(asked.curateEvery ?? manners.curateEvery, "--curate-every"),
    repeated: manners.repeated,
    throttled: manners.throttled,
    lifeBytes: LIFE_BYTES,
  };
}

async function main(): Promise<void> {
  const asked = options();
  const settings = settingsOf(asked);
  const log = pino({ level: asked.logLevel, base: null }, destination());
  const cloud = new LocalCloud(settings, log);
  await cloud.start();
  const { port, controlPort } = cloud;
  console.log(
    `ready kinesis=http://127.0.0.1:${port} control=http://127.0.0.1:${controlPort} data=${asked.data}`,
  );
  const signal = await stopSignal();
  log.info({ signal }, "stopping: delivering what is in the stream");
  await cloud.stop();
}

function destination(): pino.DestinationStream {
  if (process.stderr.isTTY) return pretty({ destination: 2, sync: true });
  // A reader that went away stops nothing.
  return pino.destination({ dest: 2, sync: true }).on("error", () => {});
}

/** The first signal stops in order, a second one at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(EXIT.failed));
        resolve(signal);
      });
    }
  });
}

function fit(option: string, value: string, pattern: RegExp, wanted: string): void {
  if (!pattern.test(value)) throw usageFault(`--${option} "${value}" is not fit: ${wanted}`);
}

function wholeBetween(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw usageFault(`--${name} must be a whole number from ${least} to ${most}`);
}

forgiveReaders();
main().then(() => process.exit(EXIT.ok), endWith);
