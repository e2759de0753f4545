/**
 * The gateway's own state as it travels to the lake: what tells a silent sensor from a silent gateway. A line with `kind` is
 * no reading. Bytes and °C; null where the system does not tell.
 */

import type { Snapshot } from "./snapshot.ts";

export class GatewayLine {
  #cpuSeconds = 0;
  #atMs: number;

  /** `startedMs`: when the process started, ms since 1970. */
  constructor(startedMs: number) {
    this.#atMs = startedMs;
  }

  /** The line, with its newline; `cpu` is the share of one core since the last one. */
  of(snapshot: Snapshot): string {
    const { gateway, site, epoch, version, state, nowMs, buffer, health, usage } = snapshot;
    const { received, buffered, shipped, rejected, dropped } = snapshot;
    const { rssBytes, cpuSeconds, temperatureCelsius, diskFreeBytes, clockSynchronised } = health;
    const elapsedSeconds = (nowMs - this.#atMs) / 1000;
    const cpu = elapsedSeconds > 0 ? (cpuSeconds - this.#cpuSeconds) / elapsedSeconds : null;
    this.#cpuSeconds = cpuSeconds;
    this.#atMs = nowMs;
    const line = {
      kind: "gateway",
      gateway,
      site,
      epoch,
      first: buffer.firstSeq ?? null,
      last: buffer.lastSeq || null,
      sent: new Date(nowMs).toISOString(),
      version,
      state,
      received,
      buffered,
      shipped,
      rejected,
      dropped,
      cpu: cpu === null ? null : Number(cpu.toFixed(4)),
      memory: rssBytes,
      temperature: temperatureCelsius ?? null,
      disk_free: diskFreeBytes ?? null,
      clock_synced: clockSynchronised ?? null,
      written_today: usage?.disk?.todayBytes ?? null,
    };
    return `${JSON.stringify(line)}\n`;
  }
}
