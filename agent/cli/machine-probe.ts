/** `windfarm check --online`: what machine this is, and whether it keeps cool. */

import { cpuTemperature, mem, osInfo, system } from "systeminformation";
import { formatBytes } from "../common/format.ts";
import type { Outcome } from "./outcome.ts";

/** Above it a Raspberry Pi slows itself down, °C. */
const HOT_CELSIUS = 80;

export async function probeMachine(): Promise<Outcome> {
  const [machine, os, memory, temperature] = await Promise.all([system(), osInfo(), mem(), cpuTemperature()]);
  const name =
    [machine.manufacturer, machine.model].filter((part) => part !== "").join(" ") || "this machine";
  const about = `${name}, ${os.distro} ${os.release}, ${os.arch}, ${formatBytes(memory.available)} memory available`;
  return warmth(about, temperature.main);
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
