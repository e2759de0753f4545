/** One of the programs that `npm start` runs, as a process of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { firstLineOf } from "./first-line.ts";
import { FOLLOW_PARENT } from "./follow.ts";

export interface ChildSettings {
  /** As people call it: cloud, agent, sensors. */
  name: string;
  /** File in dist/ without `.js`. */
  program: string;
  args: readonly string[];
  onLine(line: string): void;
  /** Lines on stdout go here instead of to `onLine`. */
  onResult?(line: string): void;
}

export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Lines remembered, to be shown when the program dies. */
const LAST_LINES = 12;

export class Child {
  readonly name: string;
  readonly ended: Promise<End>;
  readonly lastLines: string[] = [];
  end: End | undefined;
  /** True from the moment we asked it to end. */
  asked = false;
  readonly #process: ChildProcess;

  constructor({ name, program, args, onLine, onResult }: ChildSettings) {
    this.name = name;
    const file = fileURLToPath(new URL(`${program}.js`, import.meta.url));
    const { nodeArguments, env } = firstLineOf(file);
    const child = spawn(process.execPath, [...nodeArguments, ...FOLLOW_PARENT, file, ...args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A group of its own: a Ctrl-C must reach the programs one after the other.
      detached: true,
      env: { ...process.env, ...env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    });
    this.#process = child;
    const hear = (line: string): void => {
      this.lastLines.push(line);
      if (this.lastLines.length > LAST_LINES) this.lastLines.shift();
      onLine(line);
    };
    if (child.stdout !== null) createInterface(child.stdout).on("line", onResult ?? hear);
    if (child.stderr !== null) createInterface(child.stderr).on("line", hear);
    this.ended = new Promise((resolve) => {
      const finish = (end: End): void => {
        this.end = end;
        resolve(end);
      };
      child.once("error", (error) => {
        hear(error.message);
        finish({ code: null, signal: null });
      });
      child.once("close", (code, signal) => finish({ code, signal }));
    });
  }

  /** SIGTERM, and SIGKILL when it has not ended after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<End> {
    this.asked = true;
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), deadlineMs);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  kill(): void {
    this.asked = true;
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.end === undefined) this.#process.kill(signal);
  }
}

/** `exit code 1`, `signal SIGKILL`. */
export function describeEnd({ code, signal }: End): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
