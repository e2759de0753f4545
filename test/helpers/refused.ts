/** A command line that is to be refused, run within the test: a process for each of many mistakes takes a third of a second. */

import { runCommandLine } from "../../agent/cli/cli.ts";
import { showError } from "../../agent/cli/show-error.ts";

/** What main.ts ends with in the folder `cwd`: the exit code, and the words on standard error. */
export async function refusedIn(cwd: string, ...argv: string[]): Promise<{ code: number; stderr: string }> {
  try {
    await inFolder(cwd, () => runCommandLine(argv, "0.0.0"));
    return { code: 0, stderr: "" };
  } catch (error) {
    let stderr = "";
    const write = (text: string) => {
      stderr += text;
    };
    const code = showError(error, { json: false, write });
    return { code, stderr };
  }
}

/** `work` with `folder` as the working directory, where a configuration's relative paths begin. */
export async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}
