/** What the commands share: how they end when something is wrong. */

import { codeOf, EXIT, Fault, messageOf } from "../agent/errors.ts";

export const debugOption = {
  type: "boolean",
  default: false,
  describe: "Show where in the program an error came from",
} as const;

/** Says what is wrong and what to try, and ends the process with the exit code that belongs to it. */
export function endWith(error: unknown): never {
  const fault = error instanceof Fault ? error : unforeseen(error);
  process.stderr.write(`${fault.message}\n`);
  if (fault.hint !== undefined) process.stderr.write(`  try: ${fault.hint}\n`);
  if (process.argv.includes("--debug") && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exit(fault.exitCode);
}

/** What the system refused (a full disk, a missing right) is no defect of the program. */
function unforeseen(error: unknown): Fault {
  const isRefused = error instanceof Error && "syscall" in error;
  return new Fault("internal", messageOf(error), {
    hint: isRefused
      ? "run this as the user who owns the folder, name another with --data, or look at its disk (df -h)"
      : "this is a defect; please report it with what the same command says with --debug",
  });
}

/** How far long work has come: a line that is rewritten for a person at a terminal, and nothing where a program reads. */
export function tellProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/**
 * Whoever has seen enough (`| head -1`) closes our output; that is no failure of ours, and stops nothing. A disk that takes no
 * more of it is one.
 */
export function forgiveReaders(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error) => {
    if (codeOf(error) === "EPIPE") return;
    process.stderr.write(`standard output can't be written (${codeOf(error) ?? error.message})\n`);
    process.stderr.write("  try: make room where it leads to (df -h)\n");
    process.exitCode = EXIT.failed;
  });
}

/** For yargs' `fail`: what it says of wrong usage, as a Fault. */
export function failUsage(message: string | null | undefined, error: unknown): never {
  if (error instanceof Fault) throw error;
  throw usageFault((message ?? messageOf(error)).replaceAll(/\s*\n\s*/g, " "));
}

export function usageFault(message: string, hint = "--help shows what there is"): Fault {
  return new Fault("usage", message, { hint, exitCode: EXIT.usage });
}
