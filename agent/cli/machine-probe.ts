/** `windfarm check --online`: is this machine fit for what the configuration asks of it? */

import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { cpuTemperature, fsSize, mem, osInfo, system } from "systeminformation";
import type { AgentConfig } from "../config/schema.ts";
import { formatBytes } from "../observe/format.ts";
import type { Outcome } from "./probes.ts";

/** Above it a Raspberry Pi slows itself down, °C. */
const HOT_CELSIUS = 80;

export async function probeMachine({ buffer }: AgentConfig): Promise<Outcome[]> {
  const [machine, os, memory, temperature, disks] = await Promise.all([
    system(),
    osInfo(),
    mem(),
    cpuTemperature(),
    fsSize(),
  ]);
  const name =
    [machine.manufacturer, machine.model].filter((part) => part !== "").join(" ") || "this machine";
  const about = `${name}, ${os.distro} ${os.release}, ${os.arch}, ${formatBytes(memory.available)} memory available`;
  return [warmth(about, temperature.main), room(disks, buffer)];
}

function warmth(about: string, celsius: number | null): Outcome {
  if (celsius === null || celsius <= 0) return { ok: true, message: about };
  const message = `${about}, ${Math.round(celsius)} °C`;
  if (celsius < HOT_CELSIUS) return { ok: true, message };
  return {
    ok: false,
    message: `${message}: too hot`,
    hint: "see to the cabinet's ventilation; hot boards slow down and flash wears faster",
  };
}

/** The buffer may grow to its quota: will the disk bear it? */
function room(
  disks: readonly { mount: string; available: number }[],
  { path, maxBytes }: AgentConfig["buffer"],
): Outcome {
  const folder = existing(dirname(resolve(path)));
  const disk = disks
    .filter(({ mount }) => folder === mount || folder.startsWith(mount.endsWith("/") ? mount : `${mount}/`))
    .sort((a, b) => b.mount.length - a.mount.length)[0];
  if (disk === undefined) return { ok: true, message: `the disk of ${folder} could not be looked at` };
  const message = `There is ${formatBytes(disk.available)} free for the buffer in ${folder}`;
  if (disk.available >= maxBytes) return { ok: true, message };
  return {
    ok: false,
    message: `${message}, but buffer.max_size is ${formatBytes(maxBytes)}`,
    hint: "lower buffer.max_size, or make room: a disk that others fill stops the collecting too",
  };
}

function existing(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : existing(dirname(folder));
}
