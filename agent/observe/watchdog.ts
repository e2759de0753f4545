/**
 * The agent's side of the service manager. The watchdog is fed by progress, not by a timer: where readings are handed
 * in and nothing comes of them, it is left to starve and systemd starts the agent anew.
 */

import type { Logger } from "pino";
import type { Notify } from "./systemd.ts";

export interface WatchdogDeps {
  notify: Notify;
  /** From `watchdogTimeoutMs`; undefined where nobody watches. */
  timeoutMs: number | undefined;
  /** True where the agent has made progress since the last call, or has nothing to do. */
  progressing: () => boolean;
  /** The sentence of the moment. */
  sentence: () => string;
  log: Logger;
}

/** Between two looks where nobody watches, ms: the sentence of `systemctl status` is renewed so often. */
const UNWATCHED_MS = 30_000;

export class Watchdog {
  readonly #deps: WatchdogDeps;
  #timer: NodeJS.Timeout | undefined;
  #told = "";
  #starving = false;

  constructor(deps: WatchdogDeps) {
    this.#deps = deps;
  }

  /** Tells systemd that the service is up, and goes on telling how it is. */
  async start(): Promise<void> {
    const { timeoutMs } = this.#deps;
    // Twice within the time allowed, as sd_watchdog_enabled(3) advises, and once to spare.
    const everyMs = timeoutMs === undefined ? UNWATCHED_MS : timeoutMs / 3;
    this.#timer = setInterval(() => void this.look(), everyMs).unref();
    await this.#deps.notify("READY=1", ...this.#news());
  }

  /** One look: feeds the watchdog if there is progress, and passes the sentence on if it is a new one. */
  async look(): Promise<void> {
    const { timeoutMs, notify, progressing, log } = this.#deps;
    const signs = this.#news();
    const alive = progressing();
    if (alive && timeoutMs !== undefined) signs.unshift("WATCHDOG=1");
    if (!alive && !this.#starving)
      log.warn("no progress is made; unless this changes, systemd will restart the agent");
    if (alive && this.#starving) log.info("progress is made again");
    this.#starving = !alive;
    if (signs.length > 0) await notify(...signs);
  }

  /** Ends the looks: somebody else goes on. */
  pause(): void {
    clearInterval(this.#timer);
  }

  /** Tells systemd that the service is on its way down. */
  async stop(): Promise<void> {
    this.pause();
    await this.#deps.notify("STOPPING=1", ...this.#news());
  }

  #news(): string[] {
    const sentence = this.#deps.sentence().replace(/\s+/g, " ");
    if (sentence === this.#told) return [];
    this.#told = sentence;
    return [`STATUS=${sentence}`];
  }
}
