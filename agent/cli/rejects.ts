/** `windfarm rejects`: messages that could not be understood, why, and another try once the cause is cured. */

import type { CommandModule } from "yargs";
import { defaultConfigFile } from "../config/places.ts";
import { EXIT, Fault } from "../errors.ts";
import { bufferOf } from "./buffer.ts";
import { configOption, jsonOption } from "./options.ts";
import { print, printJson } from "./print.ts";

interface RejectsArguments {
  config: string | undefined;
  replay: boolean;
  limit: number;
  json: boolean;
}

const MAX_LIMIT = 1_000_000;

export const rejectsCommand: CommandModule<object, RejectsArguments> = {
  command: "rejects",
  describe: "Show the messages kept aside and why; --replay tries them again",
  builder: (command) =>
    command
      .option("config", configOption)
      .option("replay", {
        type: "boolean",
        default: false,
        description: "Queue what the configuration now understands (agent stopped)",
      })
      .option("limit", {
        type: "number",
        default: 20,
        requiresArg: true,
        description: "How many of the newest to show",
      })
      .option("json", jsonOption),
  handler: async ({ config: file = defaultConfigFile(), replay, limit, json }) => {
    if (!(Number.isInteger(limit) && limit >= 0 && limit <= MAX_LIMIT)) throw noLimit();
    if (replay) await replayAll(file, json);
    else await list(file, limit, json);
  },
};

function noLimit(): Fault {
  return new Fault("cli.usage", `--limit takes a whole number from 0 to ${MAX_LIMIT}`, {
    hint: "windfarm rejects --limit 20",
    exitCode: EXIT.usage,
  });
}

async function list(file: string, limit: number, json: boolean): Promise<void> {
  const { newestRejects, statsOf } = await import("../buffer/tools/inspect.ts");
  const { rejectText } = await import("./buffer-text.ts");
  const { path } = await bufferOf(file);
  const { accounts, rejectsKept, rejects } = statsOf(path);
  const shown = newestRejects(path, limit);
  if (json) {
    const readable = shown.map(({ payload, ...reject }) => ({
      ...reject,
      payload: payload.toString("utf8"),
    }));
    printJson({ rejected: accounts.rejected, kept: rejectsKept, byReason: rejects, newest: readable });
    return;
  }
  const readings = accounts.rejected === 1 ? "reading" : "readings";
  const messages = rejectsKept === 1 ? "message" : "messages";
  print(
    `${accounts.rejected} ${readings} rejected since the buffer was created, ${rejectsKept} ${messages} kept.`,
  );
  for (const [reason, count] of Object.entries(rejects)) print(`  ${reason}: ${count}`);
  for (const reject of shown) print(rejectText(reject));
}

async function replayAll(file: string, json: boolean): Promise<void> {
  const { loadConfig } = await import("../config/load.ts");
  const { Validator } = await import("../validate/validator.ts");
  const { replayRejects } = await import("../buffer/tools/replay.ts");
  const { gateway, mqtt, readings } = loadConfig(file, { files: false });
  const { timezone } = gateway;
  const validator = new Validator({ topic: mqtt.topic, timezone, sensors: readings.sensors });
  const result = await replayRejects(await bufferOf(file), (topic, payload) =>
    validator.check(topic, payload),
  );
  if (json) {
    printJson(result);
    return;
  }
  print(`${result.readings} readings are queued to be shipped.`);
  for (const [reason, count] of Object.entries(result.remaining)) print(`  ${count} still: ${reason}`);
}
