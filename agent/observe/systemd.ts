/**
 * What systemd is told about the service: ready, stopping, its sentence, and that it makes progress (sd_notify(3)).
 * Node can't open a datagram socket in the file system, so systemd's own `systemd-notify` carries the message; the unit
 * needs `NotifyAccess=all` for that.
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Logger } from "pino";
import { messageOf } from "../errors.ts";

/** Sends `KEY=value` assignments; resolves when they were taken, also where nobody wanted them. Never rejects. */
export type Notify = (...assignments: readonly string[]) => Promise<void>;

export interface SystemdEnvironment {
  NOTIFY_SOCKET?: string | undefined;
  WATCHDOG_USEC?: string | undefined;
  WATCHDOG_PID?: string | undefined;
}

const NOTIFY_TIMEOUT_MS = 10_000;
const run = promisify(execFile);

/** The way to systemd, or one that leads nowhere where the process was not started by it. */
export function createNotify(environment: SystemdEnvironment, log: Logger): Notify {
  const socket = environment.NOTIFY_SOCKET;
  if (socket === undefined || socket === "") return () => Promise.resolve();
  let told = false;
  return async (...assignments) => {
    const options = { timeout: NOTIFY_TIMEOUT_MS, env: { ...process.env, NOTIFY_SOCKET: socket } };
    try {
      // Also throws at once, where the system has no memory for another process.
      await run("systemd-notify", [...assignments], options);
    } catch (error) {
      if (!told)
        log.warn({ reason: messageOf(error) }, "systemd could not be told; is systemd-notify installed?");
      told = true;
    }
  };
}

/** How long systemd waits for a sign of life before it restarts the service, ms; undefined where it doesn't watch. */
export function watchdogTimeoutMs(environment: SystemdEnvironment, pid: number): number | undefined {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = environment;
  if (usec === undefined || !/^[1-9]\d*$/.test(usec)) return undefined;
  if (watched !== undefined && watched !== "" && watched !== String(pid)) return undefined;
  return Number(usec) / 1000;
}
