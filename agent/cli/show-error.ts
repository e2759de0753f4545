/** The words an error ends with on the command line, and its exit code. */

import { ConfigFault, problemText } from "../config/problems.ts";
import { EXIT, Fault, messageOf } from "../errors.ts";

export interface ErrorOutput {
  /** One JSON object instead of text. */
  json: boolean;
  write: (text: string) => void;
}

/** Says what happened and what to try; returns the exit code. A stack is shown only for what nobody foresaw. */
export function showError(error: unknown, { json, write }: ErrorOutput): number {
  const fault = error instanceof Fault ? error : surprise(error);
  write(json ? `${JSON.stringify(asJson(fault))}\n` : asText(fault));
  return fault.exitCode;
}

function asText(fault: Fault): string {
  if (fault instanceof ConfigFault) {
    const count = fault.problems.length;
    const summary = count === 1 ? "" : `windfarm: ${count} problems in the configuration\n`;
    return `${fault.problems.map((problem) => `${problemText(problem)}\n`).join("")}${summary}`;
  }
  const hint = fault.hint === undefined ? "" : `  try: ${fault.hint}\n`;
  return `windfarm: ${fault.message}\n${hint}${stackOf(fault)}`;
}

function asJson(fault: Fault): object {
  const { code, message, hint } = fault;
  return {
    error: { code, message, hint, ...(fault instanceof ConfigFault && { problems: fault.problems }) },
  };
}

function surprise(error: unknown): Fault {
  return new Fault("internal", messageOf(error), {
    hint: SURPRISE_HINT,
    exitCode: EXIT.failed,
    cause: error,
  });
}

const SURPRISE_HINT = "this is a defect of windfarm; please report it with the lines below";

function stackOf({ code, cause }: Fault): string {
  return code === "internal" && cause instanceof Error && cause.stack ? `${cause.stack}\n` : "";
}
