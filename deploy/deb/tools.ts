/** Runs the programs that the package is made with; a missing one is named, with what to install. */

import { spawnSync } from "node:child_process";
import { codeOf, Fault } from "../../agent/errors.ts";

export interface ToolOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** What to do where the program is missing or fails. */
  hint?: string;
}

/** Standard output of `program`. Throws Fault `deb.tool` where it can't be run or fails. */
export function tool(program: string, args: readonly string[], options: ToolOptions = {}): string {
  const { cwd, env, hint = `install ${program}` } = options;
  const done = spawnSync(program, [...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (done.error !== undefined) {
    const why = codeOf(done.error) === "ENOENT" ? "is not installed" : `can't be run: ${done.error.message}`;
    throw new Fault("deb.tool", `${program} ${why}`, { hint, cause: done.error });
  }
  if (done.status === 0) return done.stdout;
  const said = `${done.stdout}\n${done.stderr}`.trim().split("\n").slice(-12).join("\n");
  throw new Fault("deb.tool", `${program} ${args[0] ?? ""} failed with ${done.status}:\n${said}`, { hint });
}
