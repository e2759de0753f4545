/** The last warnings and errors of the log, for the page: whoever looks at it need not know where the log is. */

import { printable } from "../common/printable.ts";

export interface LoggedProblem {
  atMs: number;
  level: "warn" | "error";
  message: string;
  /** `area.what`, if it is in the error catalogue; the runbook has its article. */
  code?: string;
  hint?: string;
  /** How often in a row. */
  times: number;
}

const KEPT = 8;
const MAX_LENGTH = 400;

export class LastProblems {
  #kept: LoggedProblem[] = [];

  /** Newest first. */
  get all(): readonly LoggedProblem[] {
    return this.#kept;
  }

  /** @param fields what was logged beside the message: a fault as `err`, or its `code` and `hint` */
  add(atMs: number, level: LoggedProblem["level"], fields: unknown, message: string): void {
    const fault = field(fields, "err") ?? field(fields, "error");
    const code = textField(fault, "code") ?? textField(fields, "code");
    const hint = textField(fault, "hint") ?? textField(fields, "hint");
    const cause = textField(fault, "message");
    const text = [message, cause].filter((part) => part !== undefined && part !== "").join(": ");
    const problem: LoggedProblem = { atMs, level, message: short(text), times: 1 };
    if (code !== undefined) problem.code = code;
    if (hint !== undefined) problem.hint = short(hint);
    const same = this.#kept.find((kept) => kept.message === problem.message && kept.code === problem.code);
    if (same !== undefined) problem.times += same.times;
    this.#kept = [problem, ...this.#kept.filter((kept) => kept !== same)].slice(0, KEPT);
  }
}

function field(from: unknown, name: string): unknown {
  if (typeof from !== "object" || from === null || !(name in from)) return undefined;
  return Reflect.get(from, name);
}

function textField(from: unknown, name: string): string | undefined {
  const value = field(from, name);
  return typeof value === "string" ? value : undefined;
}

function short(text: string): string {
  const line = printable(text.replace(/\s+/g, " ").trim());
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 1)}…` : line;
}
