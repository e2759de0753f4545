/** The built agent as it is installed, a process of its own on free ports, asked and watched through what it offers to everyone. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { ROOT } from "./program.ts";

const Status = z.object({
  state: z.string(),
  sentence: z.string(),
  received: z.number(),
  buffered: z.number(),
  shipped: z.number(),
  rejected: z.number(),
  dropped: z.number(),
  collect: z.object({ connections: z.number(), closedConnections: z.record(z.string(), z.number()) }),
  buffer: z.object({
    state: z.string(),
    problem: z.string().optional(),
    pending: z.number(),
    usedBytes: z.number(),
  }),
});
export type AgentStatus = z.infer<typeof Status>;

const LogLine = z.object({ level: z.string(), msg: z.string(), time: z.string() });
export type AgentLogLine = z.infer<typeof LogLine>;

export interface AgentSetup {
  /** For the configuration and, unless `bufferFolder` is given, the buffer. */
  folder: string;
  bufferFolder?: string;
  /** Further settings of the configuration's sections, as YAML flow: `max_size: 2MiB`. */
  mqtt?: string;
  buffer?: string;
  /** Of the listener's URL. Default mqtt. */
  scheme?: "mqtt" | "mqtts";
  /** CommonJS modules loaded into the agent before its own code. */
  preload?: readonly string[];
  /** Further variables of its environment. */
  env?: Record<string, string>;
  /** Of the stream. */
  endpoint: string;
}

const POLL_MS = 50;

export class AgentProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly #status: string;
  readonly #output: { text: string };

  private constructor(child: ChildProcess, output: { text: string }) {
    this.child = child;
    this.#output = output;
    this.port = Number(/"listen":"mqtts?:\/\/127\.0\.0\.1:(\d+)"/.exec(output.text)?.[1]);
    this.#status = /"status":"(http:[^"]+)"/.exec(output.text)?.[1] ?? "";
  }

  static async start(setup: AgentSetup): Promise<AgentProcess> {
    const config = join(setup.folder, "agent.config.yaml");
    const more = (settings: string | undefined) => (settings === undefined ? "" : `, ${settings}`);
    const lines = [
      "version: 1",
      "gateway: { id: gw-suite }",
      `mqtt: { listen: "${setup.scheme ?? "mqtt"}://127.0.0.1:0"${more(setup.mqtt)} }`,
      `buffer: { path: ${join(setup.bufferFolder ?? setup.folder, "buffer.db")}${more(setup.buffer)} }`,
      `kinesis: { region: us-east-1, endpoint: "${setup.endpoint}", flush_every: 100ms }`,
      'status: { listen: "http://127.0.0.1:0" }',
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    // Itself, not through node, for its first line sets how much memory it may use; without NODE_OPTIONS as node.ts says.
    const options = `NODE_OPTIONS=${(setup.preload ?? []).map((file) => `--require=${file}`).join(" ")}`;
    const child = spawn("env", [options, join(ROOT, "dist/windfarm.js"), "run", "--config", config], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...setup.env },
    });
    const output = { text: "" };
    child.stdout.setEncoding("utf8");
    await new Promise<void>((resolve, reject) => {
      child.once("exit", () => reject(new Error(`the agent ended:\n${output.text}`)));
      child.stdout.on("data", (text: string) => {
        output.text += text;
        if (output.text.includes(" collects for ")) resolve();
      });
    });
    return new AgentProcess(child, output);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get log(): AgentLogLine[] {
    const whole = this.#output.text.slice(0, this.#output.text.lastIndexOf("\n") + 1);
    return whole
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => LogLine.parse(JSON.parse(line)));
  }

  async status(): Promise<AgentStatus> {
    return Status.parse(await (await fetch(`${this.#status}/api/status`)).json());
  }

  async readyCode(): Promise<number> {
    return (await fetch(`${this.#status}/readyz`)).status;
  }

  async healthCode(): Promise<number> {
    return (await fetch(`${this.#status}/healthz`)).status;
  }

  async metrics(): Promise<string> {
    return await (await fetch(`${this.#status}/metrics`)).text();
  }

  /** Value of a metric by its full name with labels, or undefined. */
  async metric(name: string): Promise<number | undefined> {
    const line = (await this.metrics()).split("\n").find((text) => text.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  /** Polls until the status satisfies. */
  async until(wanted: (status: AgentStatus) => boolean): Promise<AgentStatus> {
    for (;;) {
      if (!this.running) throw new Error(`the agent ended:\n${this.#output.text}`);
      const status = await this.status();
      if (wanted(status)) return status;
      await pause(POLL_MS);
    }
  }

  /** Resident memory, bytes. */
  rss(): number {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1]) * 1024;
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    const exited = once(this.child, "exit");
    this.child.kill();
    await exited;
  }
}
