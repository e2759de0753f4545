/**
 * The whole way on one machine, as separate processes:
 *
 *   start:  cloud ▶ agent ▶ sensors      (each when the one before it is ready)
 *   stop:   sensors ▶ agent ▶ cloud      (acknowledgements awaited, the buffer shipped, the stream brought to the lake)
 */

import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, Fault } from "../../agent/errors.ts";
import {
  liveLine,
  missing,
  type Outcome,
  readSensorSummary,
  type SensorSummary,
  summarise,
} from "./accounts.ts";
import { Child, describeEnd, type End } from "./child.ts";
import { historyArgument, type StartOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import { countTypes, queryCommand, shortPath } from "./query.ts";
import type { Screen } from "./screen.ts";
import { Observer } from "./status.ts";

const POLL_MS = 100;
const START_DEADLINE_MS = 60_000;
const LIVE_MS = { terminal: 1_000, elsewhere: 10_000 } as const;
const SENSORS_STOP_MS = 20_000;
const AGENT_STOP_MS = 20_000;
const CLOUD_STOP_MS = 120_000;
/** How long the buffer may take to drain without getting any emptier. */
const STALLED_MS = { asked: 10_000, byItself: 60_000 } as const;

export class Demo {
  readonly #plan: Plan;
  readonly #options: StartOptions;
  readonly #screen: Screen;
  readonly #observer: Observer;
  readonly #children: Child[] = [];
  readonly #ending: Promise<void>;
  #end: () => void = () => {};
  #ended = false;
  #forced = false;
  /** True once all but the sensors is up. */
  #ready = false;
  readonly #failure: string[] = [];
  #sensorSummary: SensorSummary | undefined;
  #lakeBefore = 0;
  #receivedBefore = 0;

  constructor(plan: Plan, options: StartOptions, screen: Screen) {
    this.#plan = plan;
    this.#options = options;
    this.#screen = screen;
    this.#observer = new Observer(plan.page, plan.control);
    this.#ending = new Promise((resolve) => {
      this.#end = () => {
        this.#ended = true;
        resolve();
      };
    });
  }

  /** Runs until asked to stop, until `--for` is over, or until a program dies; the exit code. */
  async run(): Promise<number> {
    this.#ready = (await this.#startCloud()) && (await this.#startAgent());
    if (this.#ready) {
      this.#receivedBefore = (await this.#observer.agent())?.received ?? 0;
      this.#announce();
      const ticking = this.#showLive();
      if (this.#options.simulate) await this.#startSensors();
      await this.#ending;
      clearInterval(ticking);
    }
    return await this.#finish();
  }

  /** Asks to stop in order; a second time ends everything at once. */
  stop(): void {
    if (this.#ended) {
      this.#forced = true;
      for (const child of this.#children) child.kill();
      return;
    }
    this.#screen.line("stopping: sensors, then agent, then cloud; once more to end at once");
    this.#end();
  }

  #startCloud(): Promise<boolean> {
    const { kinesisPort, controlPort, cloudFolder, config } = this.#plan;
    const { stream, region } = config.kinesis;
    const ports = [`--port=${kinesisPort}`, `--control-port=${controlPort}`];
    this.#start("cloud", "cloud", [
      ...ports,
      `--data=${cloudFolder}`,
      `--stream=${stream}`,
      `--region=${region}`,
    ]);
    return this.#until("cloud", async () => {
      const status = await this.#observer.cloud();
      this.#lakeBefore = status?.lakeReadings ?? 0;
      return status !== undefined;
    });
  }

  #startAgent(): Promise<boolean> {
    this.#start("agent", "windfarm", ["run", "--config", this.#plan.configFile]);
    return this.#until("agent", () => this.#observer.agentReady());
  }

  async #startSensors(): Promise<void> {
    const args = [`--broker=${this.#plan.broker}`, "--json", ...this.#options.simulatorArguments];
    args.push(...this.#history());
    const sensors = this.#start("sensors", "simulate", args, (line) => {
      this.#sensorSummary = readSensorSummary(line);
    });
    // The end of --for is the sensors' own; what is wrong then is told by their summary.
    if (this.#options.for !== undefined) {
      void sensors.ended.then(() => {
        if (this.#sensorSummary === undefined || this.#ended) return;
        this.#screen.line("the sensors are done; waiting until everything is in the lake");
        this.#end();
      });
    }
  }

  /** A second past beside the first would make two curves of one. */
  #history(): string[] {
    const { history } = this.#options;
    if (history === undefined) return [];
    if (this.#lakeBefore > 0) {
      this.#screen.line(
        "the lake has readings already, so no history is made; --fresh begins with an empty one",
      );
      return [];
    }
    this.#screen.line(`the sensors first send the last ${history}, then go on live`);
    return historyArgument(history);
  }

  #start(name: string, program: string, args: readonly string[], onResult?: (line: string) => void): Child {
    const onLine = (line: string) => this.#screen.said(name, line);
    const child = new Child({ name, program, args, onLine, ...(onResult && { onResult }) });
    this.#children.push(child);
    void child.ended.then((end) => {
      const expected = child.asked || (name === "sensors" && this.#sensorSummary !== undefined);
      if (expected) return;
      this.#tellDeath(child, end);
      this.#end();
    });
    return child;
  }

  /** At once, for to stop the others in order takes its time. */
  #tellDeath(child: Child, end: End): void {
    const sentence = `the ${child.name} ended unexpectedly with ${describeEnd(end)}`;
    this.#failure.push(sentence);
    this.#screen.endLive();
    this.#alarm(`${sentence}; its last lines:`);
    for (const line of child.lastLines) this.#screen.said(child.name, line);
  }

  #alarm(sentence: string): void {
    this.#screen.line(this.#screen.paint("red", sentence));
  }

  /** False when it is time to stop before `name` is ready. */
  async #until(name: string, isReady: () => Promise<boolean>): Promise<boolean> {
    const overdue = performance.now() + START_DEADLINE_MS;
    while (!this.#ended) {
      if (await isReady()) return true;
      if (performance.now() > overdue) {
        this.#failure.push(`the ${name} was not ready within ${START_DEADLINE_MS / 1000} s`);
        this.#end();
      }
      await Promise.race([sleep(POLL_MS), this.#ending]);
    }
    return false;
  }

  #announce(): void {
    const { page, broker } = this.#plan;
    const [cloudFolder, configFile] = [shortPath(this.#plan.cloudFolder), shortPath(this.#plan.configFile)];
    const sample = "SELECT type, count(*) AS n, avg(data) AS mean FROM readings GROUP BY type";
    for (const line of [
      "",
      `  status page    ${page}`,
      `  MQTT broker    ${broker}    publish to windfarm/<turbine>/<sensor>`,
      `  lake           ${cloudFolder}`,
      `  configuration  ${configFile}`,
      `  ask it         ${queryCommand(this.#plan)} "${sample}"`,
      `                 ${queryCommand(this.#plan)} --list`,
      this.#options.for === undefined
        ? "  stop           Ctrl-C; nothing is lost"
        : `  stops by itself after ${this.#options.for}`,
      "",
    ]) {
      this.#screen.line(line);
    }
  }

  #showLive(): NodeJS.Timeout {
    let busy = false;
    const show = async () => {
      if (busy) return;
      busy = true;
      const [agent, cloud] = await Promise.all([this.#observer.agent(), this.#observer.cloud()]);
      if (!this.#ended) this.#screen.live(liveLine(agent, cloud, this.#screen.width));
      busy = false;
    };
    return setInterval(() => void show(), process.stdout.isTTY ? LIVE_MS.terminal : LIVE_MS.elsewhere);
  }

  async #finish(): Promise<number> {
    this.#screen.endLive();
    // The original's readings have a day for a date and ids that begin at 0: a second run makes the same again.
    const lakeBefore = this.#options.legacy ? undefined : this.#lakeBefore;
    const earlier = this.#lakeBefore > 0 || this.#receivedBefore > 0;
    const outcome: Outcome = { earlier, lakeBefore, types: [] };
    await this.#child("sensors")?.stop(SENSORS_STOP_MS);
    outcome.sensors = this.#sensorSummary;
    outcome.agent = await this.#drained();
    await this.#child("agent")?.stop(AGENT_STOP_MS);
    if (this.#ready && this.#child("cloud")?.end === undefined) outcome.cloud = await this.#observer.flush();
    if (outcome.cloud !== undefined) outcome.types = await countTypes(this.#plan);
    await this.#child("cloud")?.stop(CLOUD_STOP_MS);
    return this.#conclude(outcome);
  }

  #child(name: string): Child | undefined {
    return this.#children.find((child) => child.name === name);
  }

  /** The agent's accounts when its buffer is empty, or when it gets no emptier. */
  async #drained(): Promise<Outcome["agent"]> {
    const stalledMs = this.#options.for === undefined ? STALLED_MS.asked : STALLED_MS.byItself;
    let least = Number.POSITIVE_INFINITY;
    let since = performance.now();
    for (;;) {
      const running = this.#child("agent")?.end === undefined && this.#child("cloud")?.end === undefined;
      const status = await this.#observer.agent();
      if (status === undefined || status.buffered === 0 || !running || this.#forced) return status;
      if (status.buffered < least) {
        least = status.buffered;
        since = performance.now();
      } else if (performance.now() - since > stalledMs) {
        return status;
      }
      await sleep(POLL_MS);
    }
  }

  #conclude(outcome: Outcome): number {
    if (this.#ready) for (const line of summarise(outcome)) this.#screen.line(line);
    if (this.#forced) {
      this.#screen.line("ended at once; what was acknowledged is on disk and goes on at the next start");
      return EXIT.failed;
    }
    for (const sentence of this.#failure) this.#alarm(sentence);
    if (this.#failure.length > 0) return EXIT.failed;
    if (!this.#ready) {
      this.#screen.line("stopped before anything was started");
      return this.#options.for === undefined ? EXIT.ok : EXIT.failed;
    }
    const wrong = missing(outcome);
    for (const sentence of wrong) this.#alarm(sentence);
    if (wrong.length === 0) this.#screen.line("everything arrived");
    // Stopped by hand, what is buffered is no failure: it is kept.
    const failed = this.#options.for !== undefined && wrong.length > 0;
    return failed ? EXIT.failed : EXIT.ok;
  }
}

/** Thrown where `run` can't even begin. */
export function notBuilt(program: string): Fault {
  return new Fault("start.not_built", `dist/${program}.js is missing`, { hint: "npm run build" });
}
