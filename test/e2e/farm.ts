/** The built programs on free ports in a folder of their own: started, killed, and started again as a test wants it. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseDocument } from "yaml";
import { freePorts } from "../../deploy/local/ports.ts";
import { type AgentStatus, type CloudStatus, Observer } from "../../deploy/local/status.ts";
import { Program, ROOT } from "../helpers/program.ts";

const POLL_MS = 50;

export class Farm {
  readonly folder: string;
  readonly broker: string;
  readonly observer: Observer;
  readonly #ports: readonly number[];
  cloud: Program | undefined;
  agent: Program | undefined;

  private constructor(folder: string, ports: readonly number[]) {
    this.folder = folder;
    this.#ports = ports;
    this.broker = `mqtt://127.0.0.1:${ports[0]}`;
    this.observer = new Observer(`http://127.0.0.1:${ports[1]}`, `http://127.0.0.1:${ports[3]}`);
  }

  /** @param folder empty, e.g. of `t.testdir()` */
  static async lay(folder: string): Promise<Farm> {
    const farm = new Farm(folder, await freePorts(4));
    mkdirSync(join(folder, "agent"), { recursive: true });
    const config = parseDocument(readFileSync(join(ROOT, "agent.config.yaml"), "utf8"));
    config.setIn(["mqtt", "listen"], farm.broker);
    config.set("status", { listen: `http://127.0.0.1:${farm.#ports[1]}` });
    config.setIn(["kinesis", "endpoint"], `http://127.0.0.1:${farm.#ports[2]}`);
    config.setIn(["buffer", "path"], join(folder, "agent", "buffer.db"));
    writeFileSync(join(folder, "agent.config.yaml"), config.toString());
    return farm;
  }

  get cloudFolder(): string {
    return join(this.folder, "cloud");
  }

  async startCloud(): Promise<void> {
    const [, , kinesis, control] = this.#ports;
    const args = [`--port=${kinesis}`, `--control-port=${control}`, `--data=${this.cloudFolder}`];
    this.cloud = new Program("cloud", args);
    await this.cloud.says(/^ready /m);
  }

  async startAgent(): Promise<void> {
    this.launchAgent();
    await this.agentReady();
  }

  /** Without waiting for it to be ready. */
  launchAgent(): void {
    this.agent = new Program("windfarm", ["run", "--config", join(this.folder, "agent.config.yaml")]);
  }

  async agentReady(): Promise<void> {
    await this.until("the agent is ready", () => this.observer.agentReady(), this.agent);
  }

  sensors(args: readonly string[]): Program {
    return new Program("simulate", [`--broker=${this.broker}`, "--json", ...args]);
  }

  /** Polls; rejects when `program` ends before `check` holds. */
  async until(what: string, check: () => Promise<boolean>, program?: Program): Promise<void> {
    while (!(await check())) {
      if (program !== undefined && !program.running) {
        throw new Error(`the program ended before ${what}:\n${program.stdout}\n${program.stderr}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** The agent receives so many readings more from now on. Somebody must be sending. */
  async receives(count: number): Promise<void> {
    const now = async () => (await this.observer.agent())?.received;
    const before = (await now()) ?? 0;
    await this.until(`${count} received`, async () => ((await now()) ?? 0) >= before + count, this.agent);
  }

  /** Waits until the buffer is empty and all is in the lake. */
  async settled(): Promise<{ agent: AgentStatus; cloud: CloudStatus }> {
    let agent: AgentStatus | undefined;
    await this.until("the buffer is empty", async () => {
      agent = await this.observer.agent();
      return agent?.buffered === 0;
    });
    const cloud = await this.observer.flush();
    if (agent === undefined || cloud === undefined) throw new Error("the agent or the cloud can't be asked");
    return { agent, cloud };
  }

  /** Asks the lake through the query program. */
  async query(sql: string): Promise<unknown> {
    const args = [sql, "--format", "json", "--data", this.cloudFolder];
    const { code, stdout, stderr } = await new Program("query", args).ended;
    if (code !== 0) throw new Error(`the query ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }

  async stop(): Promise<void> {
    await this.agent?.kill();
    await this.cloud?.kill();
  }
}
