/** `windfarm buffer`: looks into the buffer beside the agent, and puts readings back into it. */

import { statSync } from "node:fs";
import { Writable } from "node:stream";
import type { CommandModule } from "yargs";
import type { Exported } from "../buffer/tools/inspect.ts";
import { printableJson } from "../common/printable.ts";
import { defaultConfigFile } from "../config/places.ts";
import type { AgentConfig } from "../config/schema.ts";
import { codeOf, EXIT, Fault } from "../errors.ts";
import { assertReadable, isSameFile, writeNamed } from "./named-files.ts";
import { configOption, jsonOption } from "./options.ts";
import { print, printJson } from "./print.ts";
import { withProgress } from "./progress.ts";

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
    const { statsOf } = await import("../buffer/tools/inspect.ts");
    const { statsText } = await import("./buffer-text.ts");
    const stats = statsOf((await bufferOf(config)).path);
    if (json) printJson(stats);
    else print(statsText(stats, Date.now()));
  },
};

const verifyCommand: CommandModule<object, BufferArguments> = {
  command: "verify",
  describe: "Check every group: checksum, lines, seq, and the accounts",
  builder: (command) => command.option("config", configOption).option("json", jsonOption),
  handler: async ({ config, json }) => {
    const { verifyBuffer } = await import("../buffer/tools/verify.ts");
    const { verificationText } = await import("./buffer-text.ts");
    const { path } = await bufferOf(config);
    const result = await withProgress("checked", (look) => verifyBuffer(path, look));
    if (json) printJson(result);
    else print(verificationText(result));
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
    const { path } = await bufferOf(config);
    const exported = out === undefined ? await exportToStdout(path) : await exportToFile(path, out);
    const sentence = `${exported.readings} readings exported${exported.lost > 0 ? `, ${exported.lost} could not be read` : ""}`;
    // Standard output is the readings' own.
    process.stderr.write(json ? `${JSON.stringify(exported)}\n` : `${sentence}.\n`);
    if (exported.lost > 0) process.exitCode = EXIT.failed;
  },
};

/** As they are into a file or a pipe; on a terminal the same JSON, with nothing in it that the terminal would obey. */
async function exportToStdout(path: string): Promise<Exported> {
  const { exportBuffer } = await import("../buffer/tools/inspect.ts");
  const { stdout } = process;
  if (!stdout.isTTY) return withProgress("exported", (look) => exportBuffer(path, stdout, look));
  // Groups come whole, so that no character is cut in two.
  const shown = new Writable({
    write: (lines: Buffer, _encoding, done) => stdout.write(printableJson(lines.toString("utf8")), done),
  });
  return exportBuffer(path, shown);
}

async function exportToFile(path: string, out: string): Promise<Exported> {
  const { exportBuffer } = await import("../buffer/tools/inspect.ts");
  assertOther(out, path);
  return writeNamed(out, (target) => withProgress("exported", (look) => exportBuffer(path, target, look)));
}

/** Throws a Fault where `file` belongs to the buffer itself: it would be overwritten, or put into itself. */
function assertOther(file: string, path: string): void {
  if (!["", "-wal", "-shm", ".lock"].some((part) => isSameFile(file, `${path}${part}`))) return;
  const hint = "name another file: this one holds all that waits";
  throw new Fault("buffer.same_file", `${file} belongs to the buffer itself`, { hint, exitCode: EXIT.usage });
}

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
    const { requeue } = await import("../buffer/tools/requeue.ts");
    const buffer = await bufferOf(config);
    assertReadable(file, "name an export (NDJSON) or a buffer file that was set aside (….damaged-…)");
    assertOther(file, buffer.path);
    const result = await withProgress("put back", (look) => requeue(buffer, file, look));
    const { readings, rejects, unreadable } = result;
    const sentence = `${readings} readings and ${rejects} rejects put back; ${unreadable} could not be read.`;
    if (json) printJson(result);
    else print(sentence);
    if (unreadable > 0) process.exitCode = EXIT.failed;
  },
};

/** Where the buffer is, and what belongs to it; the files that the configuration names are none of this command's business. */
export async function bufferOf(
  file = defaultConfigFile(),
): Promise<AgentConfig["buffer"] & { gateway: string }> {
  const { loadConfig } = await import("../config/load.ts");
  const { buffer, gateway } = loadConfig(file, { files: false });
  assertVisible(buffer.path);
  return { ...buffer, gateway: gateway.id };
}

/** Throws a Fault where this user may not even see whether there is a buffer. */
function assertVisible(path: string): void {
  try {
    statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (!["EACCES", "EPERM"].includes(codeOf(error) ?? "")) throw error;
    throw new Fault("buffer.unreadable", `this user may not look into the folder of ${path}`, {
      hint: "run this as the agent's user (sudo -u windfarm …) or as root",
      cause: error,
    });
  }
}
