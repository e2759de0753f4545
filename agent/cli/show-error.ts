/** The words an error ends with on the command line, and its exit code. */

import { printableJson, printableLines } from "../common/printable.ts";
import { ConfigFault, problemText } from "../config/problems.ts";
import { codeOf, EXIT, Fault, messageOf } from "../errors.ts";

export interface ErrorOutput {
  /** One JSON object instead of text. */
  json: boolean;
  /** Where it came from as well. */
  debug?: boolean;
  write: (text: string) => void;
}

/** Says what happened and what to try; returns the exit code. Stacks are for those who ask with `debug`. */
export function showError(error: unknown, { json, debug = false, write }: ErrorOutput): number {
  const fault = error instanceof Fault ? error : (systemFault(error) ?? surprise(error));
  write(
    json
      ? `${printableJson(JSON.stringify(asJson(fault)))}\n`
      : printableLines(asText(fault) + (debug ? stacksOf(error) : "")),
  );
  return fault.exitCode;
}

function asText(fault: Fault): string {
  if (fault instanceof ConfigFault) {
    const count = fault.problems.length;
    const summary = count === 1 ? "" : `windfarm: ${count} problems in the configuration\n`;
    return `${fault.problems.map((problem) => `${problemText(problem)}\n`).join("")}${summary}`;
  }
  const hint = fault.hint === undefined ? "" : `  try: ${fault.hint}\n`;
  return `windfarm: ${fault.message}\n${hint}`;
}

function asJson(fault: Fault): object {
  const { code, message, hint } = fault;
  return {
    error: { code, message, hint, ...(fault instanceof ConfigFault && { problems: fault.problems }) },
  };
}

/** What the system refused, wherever that was not foreseen: a full disk or a missing right is no defect of the program. */
function systemFault(error: unknown): Fault | undefined {
  const code = codeOf(error) ?? "";
  const hint = SYSTEM_HINTS[code];
  if (hint === undefined || !(error instanceof Error && "syscall" in error)) return undefined;
  return new Fault("system", messageOf(error), { hint, exitCode: EXIT.failed, cause: error });
}

const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  EACCES: "run this as the agent's user (sudo -u windfarm …) or as root",
  EPERM: "run this as the agent's user (sudo -u windfarm …) or as root",
  EROFS: "the disk is mounted read-only: mount tells, and dmesg why",
  ENOSPC: "make room on the disk (df -h, df -i)",
  EDQUOT: "make room: this user's share of the disk is used up",
  EIO: "the disk fails: look at dmesg",
  EMFILE: "raise the limit of open files (ulimit -n, LimitNOFILE=)",
  ENFILE: "the whole system has too many files open",
  ENOMEM: "the machine has no memory left (free -h)",
};

function surprise(error: unknown): Fault {
  return new Fault("internal", messageOf(error), {
    hint: SURPRISE_HINT,
    exitCode: EXIT.failed,
    cause: error,
  });
}

const SURPRISE_HINT =
  "this is a defect of windfarm; please report it with what the same command says with --debug";

/** Of the error and of what caused it. */
function stacksOf(error: unknown): string {
  const stacks: string[] = [];
  for (let each: unknown = error; each instanceof Error && stacks.length < 5; each = each.cause)
    stacks.push(`${each.stack ?? each.message}\n`);
  return stacks.join("caused by: ");
}
