/** A built program as a person at a terminal starts it. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { plainNode } from "./node.ts";
import { ROOT } from "./program.ts";

/** Why a test of it is skipped, or false. */
export const NO_TERMINAL = !existsSync("/usr/bin/script") && "needs script, which makes a terminal";

/** What the terminal showed of a program that succeeds; `program` as in dist/, without `.js`. */
export async function atTerminal(program: string, args: readonly string[], cwd = ROOT): Promise<string> {
  const [command, rest] = plainNode([`${ROOT}/dist/${program}.js`, ...args]);
  const line = [command, ...rest].map((word) => `'${word}'`).join(" ");
  const { stdout } = await promisify(execFile)("script", ["-qec", line, "/dev/null"], { cwd });
  return stdout;
}
