/** What is wrong with a configuration, all of it at once. */

import { EXIT, Fault } from "../errors.ts";
import type { Path, Position } from "./tree.ts";

/** A complaint about what stands at a path; `key` where the key itself is the trouble rather than its value. */
export interface Complaint extends Partial<Position> {
  path: Path;
  at?: "key";
  /** Where it is about another file, which the setting at `path` names; line and column are that file's. */
  file?: string;
  /** A sentence without its full stop. */
  message: string;
  hint?: string | undefined;
}

/** A complaint with its place, ready to be shown. */
export interface Problem extends Partial<Position> {
  file: string;
  message: string;
  hint?: string | undefined;
}

/** `file:line:column: what is wrong — hint`. */
export function problemText({ file, line, column, message, hint }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  return `${place}: ${message}${hint === undefined ? "" : ` — ${hint}`}`;
}

/** Refusal of a configuration, exit code 78; the message holds one line a problem. */
export class ConfigFault extends Fault {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super("config.invalid", problems.map(problemText).join("\n"), { exitCode: EXIT.config });
    this.problems = problems;
  }
}

/** In the order of the file, each once. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const place = (problem: Problem): number => (problem.line ?? 0) * 1e6 + (problem.column ?? 0);
  const seen = new Set<string>();
  return [...problems]
    .sort((one, other) => place(one) - place(other))
    .filter((problem) => {
      const text = problemText(problem);
      return seen.has(text) ? false : seen.add(text);
    });
}
