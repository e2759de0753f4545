/** Runs a built program of the project as a process of its own, and tells what it said. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { FOLLOW_PARENT } from "../../deploy/local/follow.ts";
import { plainNode } from "./node.ts";

/** The checkout's folder: two above this file, wherever the test runner put it. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";
  readonly #looks = new Set<() => void>();

  /** `name` as in dist/, without `.js`. */
  constructor(
    name: string,
    args: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ) {
    const command = [...FOLLOW_PARENT, `${ROOT}/dist/${name}.js`, ...args];
    this.child = spawn(...plainNode(command, options.env?.NODE_OPTIONS), {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      this.#look();
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#look();
    });
    this.ended = once(this.child, "close").then(([code, signal]) => {
      this.#look();
      return { code, signal, stdout: this.stdout, stderr: this.stderr };
    });
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when either stream holds `text`; rejects when the program ends without. */
  async says(text: string | RegExp): Promise<void> {
    const found = () => [this.stdout, this.stderr].some((said) => said.search(toPattern(text)) >= 0);
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!found() && this.running) return;
        this.#looks.delete(look);
        if (found()) resolve();
        else reject(new Error(`the program ended without saying ${text}:\n${this.stdout}\n${this.stderr}`));
      };
      this.#looks.add(look);
      look();
    });
  }

  /** Sends the signal and waits for the end. */
  async kill(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    if (this.running) this.child.kill(signal);
    return await this.ended;
  }

  #look(): void {
    for (const look of this.#looks) look();
  }
}

function toPattern(text: string | RegExp): RegExp {
  return typeof text === "string" ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")) : text;
}
