/**
 * How the gateway itself is doing. Read from the kernel's own files: asking a program costs a process each time, which
 * a small gateway feels.
 */

import { readdir, readFile, statfs } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { type BoardSources, boardOf } from "./board.ts";
import type { Snapshot } from "./snapshot.ts";

export type Health = Snapshot["health"];

export interface HealthSettings {
  /** A folder on the file system whose room matters: the buffer's. */
  folder: string;
  /** Between two looks at disk and temperature, ms. Default 30 s. */
  everyMs?: number;
  /** Where the kernel shows its temperature sensors. Default `/sys/class/thermal`. */
  thermalFolder?: string;
  board?: BoardSources;
}

const DEFAULT_EVERY_MS = 30_000;
const CPU_ZONE = /cpu|soc|core|x86_pkg|k10temp/i;

/** Looks at the disk, the temperature and the board now and then; memory and CPU time are read when asked. */
export class HealthSampler {
  readonly #folder: string;
  readonly #everyMs: number;
  readonly #thermalFolder: string;
  readonly #board: BoardSources;
  #timer: NodeJS.Timeout | undefined;
  #sampled: Omit<Health, "rssBytes" | "cpuSeconds" | "load1"> = {};

  constructor(settings: HealthSettings) {
    this.#folder = settings.folder;
    this.#everyMs = settings.everyMs ?? DEFAULT_EVERY_MS;
    this.#thermalFolder = settings.thermalFolder ?? "/sys/class/thermal";
    this.#board = settings.board ?? {};
  }

  /** Takes the first sample and goes on taking them. */
  async start(): Promise<void> {
    await this.sample();
    this.#timer = setInterval(() => void this.sample(), this.#everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  current(): Health {
    const { user, system } = process.cpuUsage();
    return {
      rssBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      load1: loadavg()[0] ?? 0,
      ...this.#sampled,
    };
  }

  /** Never fails: what can't be read is left out. */
  async sample(): Promise<void> {
    const [disk, temperatureCelsius, board] = await Promise.all([
      diskOf(this.#folder),
      temperatureOf(this.#thermalFolder),
      boardOf(this.#board),
    ]);
    this.#sampled = {
      ...disk,
      ...board,
      ...(temperatureCelsius === undefined ? {} : { temperatureCelsius }),
    };
  }
}

/** Bytes free to the agent's user, and in all. */
async function diskOf(folder: string): Promise<Pick<Health, "diskFreeBytes" | "diskTotalBytes">> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { diskFreeBytes: bavail * bsize, diskTotalBytes: blocks * bsize };
  } catch {
    return {};
  }
}

/** The processor's temperature in °C, or where no sensor says that it is the processor's, the highest of all. */
async function temperatureOf(folder: string): Promise<number | undefined> {
  const zones = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith("thermal_zone"));
  const found = await Promise.all(zones.map((zone) => zoneOf(join(folder, zone))));
  const known = found.filter((zone) => zone !== undefined);
  const ofCpu = known.filter(({ type }) => CPU_ZONE.test(type));
  const temperatures = (ofCpu.length > 0 ? ofCpu : known).map(({ celsius }) => celsius);
  return temperatures.length === 0 ? undefined : Math.max(...temperatures);
}

async function zoneOf(folder: string): Promise<{ type: string; celsius: number } | undefined> {
  try {
    const [type, milliCelsius] = await Promise.all(
      ["type", "temp"].map((file) => readFile(join(folder, file), "utf8")),
    );
    const celsius = Number(milliCelsius?.trim() || Number.NaN) / 1000;
    return Number.isFinite(celsius) ? { type: (type ?? "").trim(), celsius } : undefined;
  } catch {
    return undefined;
  }
}
