/** The command line: which commands there are, and what is wrong usage. */

import yargs from "yargs";
import { EXIT, Fault } from "../errors.ts";
import { checkCommand } from "./check.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";

/** Runs the command that `argv` names. Throws what the command throws, or Fault `cli.usage`. */
export async function runCommandLine(argv: readonly string[], version: string): Promise<void> {
  await yargs([...argv])
    .scriptName("windfarm")
    .usage("$0 <command>\n\nGets every sensor reading of a wind farm into a data lake.")
    .command(runCommand(version))
    .command(checkCommand)
    .command(statusCommand)
    .demandCommand(1, "a command is missing")
    .strict()
    .recommendCommands()
    .version(version)
    .help()
    .alias({ help: "h" })
    .locale("en")
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message: string | null, error) => {
      if (message === null || message === undefined) throw error;
      throw wrongUsage(message, argv);
    })
    .parseAsync();
}

function wrongUsage(message: string, argv: readonly string[]): Fault {
  const [command] = argv.filter((argument) => !argument.startsWith("-"));
  const known = command !== undefined && COMMANDS.has(command);
  const hint = known ? `windfarm ${command} --help` : "windfarm --help";
  return new Fault("cli.usage", lowerFirst(message.replaceAll("\n", " ")), { hint, exitCode: EXIT.usage });
}

const COMMANDS: ReadonlySet<string> = new Set(["run", "check", "status"]);

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
