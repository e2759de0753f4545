/** The command line: which commands there are, and what is wrong usage. */

import yargs, { type CommandModule } from "yargs";
import { nearest } from "../config/nearest.ts";
import { EXIT, Fault } from "../errors.ts";
import { bufferCommand } from "./buffer.ts";
import { bundleCommand } from "./bundle.ts";
import { checkCommand } from "./check.ts";
import { csrCommand } from "./csr.ts";
import { doctorCommand } from "./doctor.ts";
import { importCommand } from "./import.ts";
import { rejectsCommand } from "./rejects.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { userCommand } from "./user.ts";

/** Runs the command that `argv` names. Throws what the command throws, or Fault `cli.usage`. */
export async function runCommandLine(argv: readonly string[], version: string): Promise<void> {
  const run = runCommand(version);
  const commands = [
    run,
    checkCommand,
    statusCommand,
    doctorCommand,
    bufferCommand,
    rejectsCommand,
    userCommand,
    importCommand,
    csrCommand,
    bundleCommand,
  ];
  const names = commands.map(nameOf);
  const [first] = argv;
  if (first !== undefined && !first.startsWith("-") && !names.includes(first)) throw unknown(first, names);
  await yargs([...argv])
    .scriptName("windfarm")
    .usage("$0 <command>\n\nGets every sensor reading of a wind farm into a data lake.")
    .command(run)
    .command(checkCommand)
    .command(statusCommand)
    .command(doctorCommand)
    .command(bufferCommand)
    .command(rejectsCommand)
    .command(userCommand)
    .command(importCommand)
    .command(csrCommand)
    .command(bundleCommand)
    .option("debug", {
      type: "boolean",
      global: true,
      description: "Show where in the program an error came from",
    })
    .example("sudo windfarm doctor", "why nothing ships")
    .example("windfarm check --config FILE --online", "is this configuration right, and does AWS accept it?")
    .example("sudo windfarm user add t07 --publish 'windfarm/T07/+'", "let a turbine's sensors in")
    .demandCommand(1, "a command is missing")
    .strict()
    .parserConfiguration({
      // The last one counts, instead of a list, but where a list is wanted; and no --no-config.
      "duplicate-arguments-array": first === "user",
      "boolean-negation": false,
      "dot-notation": false,
    })
    .version(version)
    .help()
    .alias({ help: "h" })
    .epilog("Exit codes: 0 fine, 1 failed, 2 wrong usage, 78 wrong configuration.")
    .locale("en")
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message: string | null, error) => {
      if (message === null || message === undefined) throw error;
      throw wrongUsage(message, first);
    })
    .parseAsync();
}

function nameOf({ command }: Pick<CommandModule, "command">): string {
  return String(command).split(" ")[0] ?? "";
}

function unknown(name: string, names: readonly string[]): Fault {
  const meant = nearest(name, names);
  const hint = meant === undefined ? "windfarm --help" : `windfarm ${meant}`;
  return new Fault("cli.usage", `there is no command ${name}`, { hint, exitCode: EXIT.usage });
}

/** What the commands that work on something work on. */
const OBJECTS: Readonly<Record<string, string>> = { import: "folder", user: "user's name", buffer: "file" };

function wrongUsage(message: string, command: string | undefined): Fault {
  const missing = `the ${OBJECTS[command ?? ""] ?? "argument"} is missing`;
  const what = message.replaceAll("\n", " ").replace(/^Not enough non-option arguments.*/, missing);
  const hint =
    command === undefined || command.startsWith("-") ? "windfarm --help" : `windfarm ${command} --help`;
  return new Fault("cli.usage", what.charAt(0).toLowerCase() + what.slice(1), { hint, exitCode: EXIT.usage });
}
