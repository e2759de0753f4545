/** What the commands share: how they end when something is wrong. */

import { EXIT, Fault, messageOf } from "../../agent/errors.ts";

/** Says what is wrong and what to try, and ends the process with the exit code that belongs to it. */
export function endWith(error: unknown): never {
  process.stderr.write(`${messageOf(error)}\n`);
  if (error instanceof Fault && error.hint !== undefined) process.stderr.write(`  try: ${error.hint}\n`);
  else if (!(error instanceof Fault) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exit(error instanceof Fault ? error.exitCode : EXIT.failed);
}

/** How far long work has come: a line that is rewritten for a person at a terminal, and nothing where a program reads. */
export function tellProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** Whoever has seen enough (`| head -1`) closes our output; that is no failure of ours, and stops nothing. */
export function forgiveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

/** For yargs' `fail`: what it says of wrong usage, as a Fault. */
export function failUsage(message: string | null | undefined, error: unknown): never {
  if (error instanceof Fault) throw error;
  throw usageFault(message ?? messageOf(error));
}

/** A wrong option or argument. */
export function usageFault(message: string): Fault {
  return new Fault("usage", message, { hint: "--help shows what there is", exitCode: EXIT.usage });
}
