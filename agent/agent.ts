/**
 * The agent: builds its parts, starts them, stops them in order. Where the MQTT port can't be had, nothing is begun.
 *
 *   start:  buffer ▶ status page ▶ collecting ▶ shipping    (sensors don't wait for what shipping has to load and read)
 *   stop:   collecting ▶ shipping ▶ buffer ▶ status page    (what was acknowledged is on disk all the while)
 */

import type { Logger } from "pino";
import type { AgentConfig } from "./config/schema.ts";
import { FlowMeter } from "./observe/flow-meter.ts";
import { GatewayLine } from "./observe/gateway-line.ts";
import type { LastProblems } from "./observe/last-problems.ts";
import { LiveSampler } from "./observe/live.ts";
import type { Snapshot } from "./observe/snapshot.ts";
import { createStatusServer, type StatusServer } from "./observe/status-server.ts";
import { createNotify, watchdogTimeoutMs } from "./observe/systemd.ts";
import { UseMeter } from "./observe/use-meter.ts";
import { Warnings } from "./observe/warnings.ts";
import { Watchdog } from "./observe/watchdog.ts";
import { buildParts, type Parts } from "./parts.ts";
import { requireMqttPort } from "./port-check.ts";
import { snapshotOf } from "./snapshot-of.ts";

export interface AgentOptions {
  config: AgentConfig;
  log: Logger;
  /** What the log told of late, for the page. */
  problems?: LastProblems;
  version: string;
  /** ms since 1970. Default: the system's clock. */
  now?: () => number;
}

export interface RunningAgent {
  /** Stops in order; what is not shipped within `deadlineMs` stays in the buffer. */
  stop(deadlineMs: number): Promise<void>;
  /** Reads again what may change while it runs: the users file. */
  reload(): void;
  /** Resolves when stopped. */
  finished: Promise<void>;
  snapshot(): Snapshot;
  /** Where the status page is, or undefined while its port can't be had. */
  statusUrl(): string | undefined;
}

/** Rejects with the Fault of what could not be started; nothing is left running then. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  await requireMqttPort(options.config);
  const agent = new Agent(options);
  await agent.start();
  return agent;
}

class Agent implements RunningAgent {
  readonly finished: Promise<void>;
  readonly #options: AgentOptions;
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #parts: Parts;
  readonly #flow = new FlowMeter();
  readonly #meters = { link: new UseMeter(), disk: new UseMeter() };
  readonly #status: StatusServer;
  readonly #watchdog: Watchdog;
  readonly #warnings: Warnings;
  #phase: "starting" | "running" | "stopping" = "starting";
  #stopping: Promise<void> | undefined;
  #finish: () => void = () => {};
  #commitsSeen = 0;

  constructor(options: AgentOptions) {
    const { config, log, now = Date.now } = options;
    this.#options = options;
    this.#now = now;
    this.#startedMs = now();
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });

    this.#status = createStatusServer({
      listen: config.status,
      snapshot: () => this.snapshot(),
      live: this.#liveSampler(),
      log: log.child({ part: "status" }),
    });
    this.#warnings = new Warnings({ snapshot: () => this.snapshot(), log });
    this.#watchdog = new Watchdog({
      notify: createNotify(process.env, log),
      timeoutMs: watchdogTimeoutMs(process.env, process.pid),
      progressing: () => this.#isProgressing(),
      sentence: () => this.snapshot().sentence,
      log,
    });

    // Last, for it opens the buffer: what else may throw leaves nothing open.
    const line = new GatewayLine(this.#startedMs);
    const stateLine = () => (this.#phase === "starting" ? undefined : line.of(this.snapshot()));
    this.#parts = buildParts(config, log, now, stateLine);
  }

  async start(): Promise<void> {
    const { collector, shipper, health } = this.#parts;
    try {
      await this.#status.start();
      void health.start();
      await collector.start();
      shipper.start();
      this.#warnings.start();
    } catch (error) {
      await this.stop(0);
      throw error;
    }
    this.#phase = "running";
    this.#sayHello();
    // Never rejects; a systemd that is slow to take it holds up neither a stop nor a reload.
    void this.#watchdog.start();
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs);
    return this.#stopping;
  }

  reload(): void {
    this.#parts.collector.reload();
  }

  snapshot(): Snapshot {
    const { config, version } = this.#options;
    return snapshotOf({
      config,
      version,
      parts: this.#parts,
      flow: this.#flow,
      meters: this.#meters,
      startedMs: this.#startedMs,
      nowMs: this.#now(),
      phase: this.#phase,
    });
  }

  statusUrl(): string | undefined {
    return this.#status.url();
  }

  #liveSampler(): LiveSampler {
    const { config, problems } = this.#options;
    return new LiveSampler({
      seen: () => this.#parts.validator.lastSeen,
      types: config.readings.sensors.map(({ type, unit, plausible }) => ({ type, unit, ...plausible })),
      problems: () => problems?.all ?? [],
      now: this.#now,
    });
  }

  async #stop(deadlineMs: number): Promise<void> {
    const { buffer, collector, shipper, health } = this.#parts;
    const { log } = this.#options;
    const endMs = performance.now() + deadlineMs;
    this.#phase = "stopping";
    buffer.flush();
    // A systemd that does not take it may keep its program waiting for longer than there is time.
    this.#watchdog.stop().catch((error) => log.warn({ err: error }, "systemd could not be told of the stop"));
    await collector.stop(deadlineMs / 2);
    this.#warnings.stop();
    await shipper.stop(Math.max(0, endMs - performance.now()));
    const { received, buffered, shipped, rejected, dropped } = buffer.accounts();
    await buffer.close();
    health.stop();
    await this.#status.stop();
    log.info({ received, buffered, shipped, rejected, dropped }, "stopped");
    this.#finish();
  }

  #sayHello(): void {
    const { config, log, version } = this.#options;
    const { mode, url } = this.#parts.collector.stats();
    const { epoch, accounts } = this.#parts.buffer.status();
    const { stream, region, endpoint } = config.kinesis;
    const about = { version, gateway: config.gateway.id, epoch, buffer: config.buffer.path, ...accounts };
    const ways = { [mode]: url, stream, region, endpoint, status: this.statusUrl() };
    log.info({ ...about, ...ways }, `windfarm ${version} collects for ${config.gateway.id}`);
  }

  /** Readings that wait while no commit happens are no progress; nothing to do is fine. */
  #isProgressing(): boolean {
    const { commits, pending, state } = this.#parts.buffer.status();
    const moved = commits !== this.#commitsSeen;
    this.#commitsSeen = commits;
    return moved || pending === 0 || state !== "storing";
  }
}
