/** Starts the programs a benchmark measures, and reads from the kernel what they use. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { firstLineOf } from "../../deploy/local/first-line.ts";
import { freePorts } from "../../deploy/local/ports.ts";

const dist = import.meta.dirname;
const AGENT = "windfarm.js";

/** What the kernel says of a process. */
export interface Usage {
  cpuSeconds: number;
  rssBytes: number;
  /** Bytes it caused to be written to the disk. */
  writtenBytes: number;
}

const CLOCK_TICKS = 100;

/** Another Node.js or another build than this checkout's, perhaps held within a cgroup. */
export interface Runtime {
  node: string;
  script: string;
  /** The command that starts the rest of its arguments within limits. */
  within?: readonly string[];
}

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const io = readFileSync(`/proc/${pid}/io`, "utf8");
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS,
    rssBytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024,
    writtenBytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1]),
  };
}

export class Program {
  /** Where the agent's CPU profiles go; none are written without. */
  static profiles: string | undefined;
  readonly child: ChildProcess;
  readonly pid: number;
  readonly startedMs = performance.now();

  constructor(
    script: string,
    args: readonly string[] = [],
    more: Readonly<Record<string, string>> = {},
    runtime: Runtime = { node: process.execPath, script: join(dist, script) },
  ) {
    const { nodeArguments, env } = firstLineOf(runtime.script);
    const stdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
    const options = { stdio, env: { ...process.env, ...env, ...more } };
    const { profiles } = Program;
    const profiling =
      script === AGENT && profiles !== undefined ? ["--cpu-prof", `--cpu-prof-dir=${profiles}`] : [];
    const [command = runtime.node, ...before] = [...(runtime.within ?? []), runtime.node];
    this.child = spawn(
      command,
      [...before, ...nodeArguments, ...profiling, runtime.script, ...args],
      options,
    );
    this.pid = this.child.pid ?? 0;
  }

  /** The first line it prints; rejects when it ends without one. */
  async line(): Promise<string> {
    const lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    const found = await Promise.race([once(lines, "line"), once(lines, "close")]);
    lines.resume();
    if (typeof found[0] !== "string")
      throw new Error(`${this.child.spawnargs.join(" ")} ended without a word`);
    return found[0];
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.stdout?.resume();
    this.child.kill(signal);
    await once(this.child, "exit");
  }
}

export interface AgentPlan {
  folder: string;
  /** Where it ships; by default nobody listens there and the readings stay in the buffer. */
  endpoint?: string;
  /** `mqtt.connect` instead of the embedded broker. */
  connect?: string;
  maxSize?: string;
  /** Further settings of the stream, as YAML flow: `flush_every: 1s`. */
  kinesis?: string;
  /** Further variables. */
  env?: Readonly<Record<string, string>>;
  /** `buffer.commit_linger`; its default if absent. */
  linger?: string;
  /** This checkout's build, on the Node.js that runs the benchmark, if absent. */
  runtime?: Runtime;
}

/** The agent as a gateway runs it. */
export class AgentProgram extends Program {
  readonly port: number;
  readonly #statusPort: number;

  private constructor(
    config: string,
    { env = {}, runtime }: Pick<AgentPlan, "env" | "runtime">,
    [port, statusPort]: readonly [number, number],
  ) {
    super(AGENT, ["run", "--config", config], env, runtime);
    this.child.stdout?.resume();
    this.port = port;
    this.#statusPort = statusPort;
  }

  /** Resolves when it is ready to take readings. */
  static async start(plan: AgentPlan): Promise<AgentProgram> {
    const [port = 0, statusPort = 0, nobody = 0] = await freePorts(3);
    mkdirSync(plan.folder, { recursive: true });
    const config = join(plan.folder, "agent.config.yaml");
    const mqtt = plan.connect === undefined ? `listen: mqtt://127.0.0.1:${port}` : `connect: ${plan.connect}`;
    const { endpoint = `http://127.0.0.1:${nobody}`, kinesis } = plan;
    const stream = [
      "region: us-east-1",
      `endpoint: "${endpoint}"`,
      ...(kinesis === undefined ? [] : [kinesis]),
    ];
    const linger = plan.linger === undefined ? "" : `, commit_linger: ${plan.linger}`;
    const text = [
      "version: 1",
      "gateway: { id: gw-01 }",
      `mqtt: { ${mqtt} }`,
      `buffer: { path: ${join(plan.folder, "buffer.db")}, max_size: ${plan.maxSize ?? "20GiB"}${linger} }`,
      `kinesis: { ${stream.join(", ")} }`,
      `status: { listen: http://127.0.0.1:${statusPort} }`,
      "log: { level: error }",
    ];
    writeFileSync(config, `${text.join("\n")}\n`);
    const agent = new AgentProgram(config, plan, [port, statusPort]);
    await agent.ready();
    return agent;
  }

  async ready(): Promise<void> {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${this.#statusPort}/readyz`).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.ok) return;
      if (this.child.exitCode !== null) throw new Error(`the agent ended with ${this.child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async status(): Promise<{
    received: number;
    buffered: number;
    shipped: number;
    buffer: { commits: number };
  }> {
    const answer = await fetch(`http://127.0.0.1:${this.#statusPort}/api/status`);
    return (await answer.json()) as Awaited<ReturnType<AgentProgram["status"]>>;
  }
}
