/** `windfarm buffer`: looks into the buffer beside the agent, and puts readings back into it. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { CommandModule } from "yargs";
import { defaultConfigFile } from "../config/places.ts";
import type { AgentConfig } from "../config/schema.ts";
import { EXIT } from "../errors.ts";
import { configOption, jsonOption } from "./options.ts";

interface BufferArguments {
  config: string | undefined;
  json: boolean;
}

export const bufferCommand: CommandModule<object, object> = {
  command: "buffer",
  describe: "Look into the buffer: stats, verify, export, requeue",
  builder: (command) =>
    command
      .command(statsCommand)
      .command(verifyCommand)
      .command(exportCommand)
      .command(requeueCommand)
      .demandCommand(1, "say what to do with the buffer: stats, verify, export or requeue")
      .strict(),
  handler: () => {},
};

const statsCommand: CommandModule<object, BufferArguments> = {
  command: "stats",
  describe: "How much it holds, since when, and what became of the rest",
  builder: (command) => command.option("config", configOption).option("json", jsonOption),
  handler: async ({ config, json }) => {
    const { statsOf } = await import("../buffer/inspect.ts");
    const { statsText } = await import("./buffer-text.ts");
    const stats = statsOf((await bufferOf(config)).path);
    print(json ? JSON.stringify(stats) : statsText(stats, Date.now()));
  },
};

const verifyCommand: CommandModule<object, BufferArguments> = {
  command: "verify",
  describe: "Check every group: checksum, lines, seq, and the accounts",
  builder: (command) => command.option("config", configOption).option("json", jsonOption),
  handler: async ({ config, json }) => {
    const { verifyBuffer } = await import("../buffer/verify.ts");
    const { verificationText } = await import("./buffer-text.ts");
    const result = verifyBuffer((await bufferOf(config)).path);
    print(json ? JSON.stringify(result) : verificationText(result));
    if (!result.ok) process.exitCode = EXIT.failed;
  },
};

const exportCommand: CommandModule<object, BufferArguments & { out: string | undefined }> = {
  command: "export",
  describe: "Write the buffered readings as NDJSON; they stay in the buffer",
  builder: (command) =>
    command.option("config", configOption).option("json", jsonOption).option("out", {
      type: "string",
      requiresArg: true,
      description: "File to write; standard output without it",
    }),
  handler: async ({ config, json, out }) => {
    const { exportBuffer } = await import("../buffer/export.ts");
    const { path } = await bufferOf(config);
    const target = out === undefined ? process.stdout : createWriteStream(out);
    if (out !== undefined) await once(target, "open");
    const exported = await exportBuffer(path, target);
    if (out !== undefined) await new Promise<void>((resolve) => target.end(resolve));
    const sentence = `${exported.readings} readings exported${exported.lost > 0 ? `, ${exported.lost} could not be read` : ""}`;
    // Standard output is the readings' own.
    process.stderr.write(json ? `${JSON.stringify(exported)}\n` : `${sentence}.\n`);
    if (exported.lost > 0) process.exitCode = EXIT.failed;
  },
};

const requeueCommand: CommandModule<object, BufferArguments & { file: string }> = {
  command: "requeue <file>",
  describe: "Put an export's readings, or a damaged buffer's, back to be shipped (agent stopped)",
  builder: (command) =>
    command.option("config", configOption).option("json", jsonOption).positional("file", {
      type: "string",
      demandOption: true,
      description: "NDJSON, or a buffer file set aside",
    }),
  handler: async ({ config, json, file }) => {
    const { requeue } = await import("../buffer/requeue.ts");
    const result = await requeue(await bufferOf(config), file);
    const { readings, rejects, unreadable } = result;
    const sentence = `${readings} readings and ${rejects} rejects put back; ${unreadable} could not be read.`;
    print(json ? JSON.stringify(result) : sentence);
    if (unreadable > 0) process.exitCode = EXIT.failed;
  },
};

/** Where the buffer is, and what belongs to it; the files that the configuration names are none of this command's business. */
export async function bufferOf(
  file = defaultConfigFile(),
): Promise<AgentConfig["buffer"] & { gateway: string }> {
  const { loadConfig } = await import("../config/load.ts");
  const { buffer, gateway } = loadConfig(file, { files: false });
  return { ...buffer, gateway: gateway.id };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
