/** The real agent on a disk that can be made to fail, a stream that can be switched off, a sensor, and an eye on the accounts. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { z } from "zod";
import { AgentProcess, type AgentSetup, type AgentStatus } from "../../helpers/agent-process.ts";
import { type KinesisStub, startKinesisStub } from "../../helpers/kinesis-stub.ts";
import { WireSensor } from "../../helpers/wire-sensor.ts";

const Line = z.object({ id: z.string(), seq: z.number() });
const STORES_AGAIN = "The buffer stores readings again.";
const POLL_MS = 50;

export class Rig {
  readonly agent: AgentProcess;
  readonly stub: KinesisStub;
  readonly sensor: WireSensor;
  polls = 0;
  /** Statuses whose accounts did not balance. */
  readonly wrong: AgentStatus[] = [];
  readonly #eye: NodeJS.Timeout;

  private constructor(agent: AgentProcess, stub: KinesisStub, sensor: WireSensor) {
    this.agent = agent;
    this.stub = stub;
    this.sensor = sensor;
    this.#eye = setInterval(() => void this.#look(), POLL_MS);
  }

  static async start(t: Test, setup: Omit<AgentSetup, "endpoint">): Promise<Rig> {
    const stub = await startKinesisStub();
    const agent = await AgentProcess.start({ endpoint: stub.endpoint, ...setup });
    const sensor = await WireSensor.open(agent.port, { name: "sensor", window: 200, ballast: 200 });
    const rig = new Rig(agent, stub, sensor);
    t.teardown(() => rig.stop());
    return rig;
  }

  async stop(): Promise<void> {
    clearInterval(this.#eye);
    this.sensor.close();
    await this.agent.stop();
    await this.stub.outage();
  }

  /** Resolves once so many more readings are acknowledged. */
  async acknowledges(count: number): Promise<void> {
    const goal = this.sensor.acknowledged.size + count;
    await this.sensor.until(() => this.sensor.acknowledged.size >= goal);
  }

  /** Everything sent is acknowledged and shipped. */
  async finish(): Promise<AgentStatus> {
    await this.sensor.settled();
    return await this.agent.until(({ buffered, buffer }) => buffered === 0 && buffer.state === "storing");
  }

  /** Ids that were acknowledged and that the stream has not. */
  missing(): string[] {
    const arrived = new Set(this.stub.lines.map((line) => Line.parse(JSON.parse(line)).id));
    return [...this.sensor.acknowledged].filter((id) => !arrived.has(id));
  }

  /** What the log said of the buffer's trouble, in order: its levels, and whether it is over. */
  get transitions(): string[] {
    return this.agent.log
      .filter(
        ({ msg }) => msg === STORES_AGAIN || /^The (disk|buffer)('s| that| refuses| is| can't)/.test(msg),
      )
      .map(({ msg, level }) => (msg === STORES_AGAIN ? "storing" : level));
  }

  async #look(): Promise<void> {
    const status = await this.agent.status().catch(() => undefined);
    if (status === undefined) return;
    this.polls++;
    const { received, buffered, shipped, rejected, dropped } = status;
    if (received !== buffered + shipped + rejected + dropped) this.wrong.push(status);
  }
}

/** What holds after every kind of trouble: nothing acknowledged is lost, the accounts balanced all along, each change said once. */
export async function recovered(t: Test, rig: Rig): Promise<AgentStatus> {
  const status = await rig.finish();
  t.notOk(rig.sensor.dropped, "the sensor was never dropped");
  t.equal(rig.sensor.acknowledged.size, rig.sensor.sent, "every reading is acknowledged in the end");
  const missing = rig.missing().length;
  // What was dropped while it waited in a request may arrive all the same.
  t.ok(
    missing <= status.dropped,
    `${missing} acknowledged readings are not in the stream, ${status.dropped} were dropped`,
  );
  t.strictSame(
    rig.wrong,
    [],
    `received = buffered + shipped + rejected + dropped in each of ${rig.polls} polls`,
  );
  t.ok(rig.polls > 5);
  t.equal(await rig.agent.readyCode(), 200);
  t.equal(await rig.agent.metric('windfarm_buffer_state{state="storing"}'), 1);
  const { transitions } = rig;
  t.ok(transitions.length > 0, "the trouble was logged");
  t.ok(
    transitions.every((said, index) => (said === "storing") === (index % 2 === 1)),
    `each change was logged once: ${transitions.join(" ")}`,
  );
  t.equal(transitions.at(-1), "storing");
  return status;
}

/** What everybody can see while the buffer does not store. */
export async function seen(t: Test, rig: Rig, state: string): Promise<void> {
  t.equal(await rig.agent.readyCode(), 503, "not ready");
  t.equal(await rig.agent.metric(`windfarm_buffer_state{state="${state}"}`), 1, "in the metrics");
  const status = await rig.agent.status();
  t.equal(status.buffer.state, state, "in the status");
  t.ok(status.buffer.problem);
  t.comment(status.sentence);
}

export function straceMissing(): string | false {
  return spawnSync("strace", ["-V"]).status === 0 ? false : "strace is not installed";
}

/** Lets system calls of the agent fail from now on, where they touch one of `paths`. */
export class Injection {
  readonly #strace: ChildProcess;

  private constructor(strace: ChildProcess) {
    this.#strace = strace;
  }

  static async begin(
    pid: number,
    calls: string,
    error: string,
    paths: readonly string[],
  ): Promise<Injection> {
    const which = ["-e", `trace=${calls}`, "-e", `inject=${calls}:error=${error}`];
    const args = [
      "-f",
      "-o",
      "/dev/null",
      ...which,
      ...paths.flatMap((path) => ["-P", path]),
      "-p",
      String(pid),
    ];
    const strace = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    await new Promise<void>((resolve, reject) => {
      strace.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("attached")) resolve();
      });
      strace.once("exit", () => reject(new Error(`strace ended: ${said}`)));
    });
    return new Injection(strace);
  }

  async end(): Promise<void> {
    const exited = once(this.#strace, "exit");
    this.#strace.kill("SIGINT");
    await exited;
  }
}

/** Why no file system of its own can be had, or false. */
export function tmpfsMissing(): string | false {
  return process.getuid?.() === 0 ? false : "mounting a tmpfs needs root";
}

/** An empty file system of `size`; away again at the test's end. */
export function mountTmpfs(t: Test, size: string): string {
  const folder = mkdtempSync(join(tmpdir(), "windfarm-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder]);
  t.teardown(() => {
    execFileSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}
