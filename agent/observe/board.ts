/** What the board and the system tell of themselves: a Raspberry Pi that is throttled, a clock that was never set, certificates' ends. */

import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { Board } from "./snapshot.ts";

export interface BoardSources {
  /** Files by use, e.g. `AWS IoT`. */
  certificates?: readonly { use: string; file: string }[];
  /** In front of every path of the system. Default: nothing. */
  root?: string;
}

/** Bits of the firmware's answer (Raspberry Pi documentation, vcgencmd get_throttled). */
const THROTTLED: readonly (readonly [bit: number, why: string])[] = [
  [0, "the supply's voltage is too low"],
  [1, "the clock is capped"],
  [2, "throttled"],
  [3, "too hot"],
];
const FIRMWARE = "/sys/devices/platform/soc/soc:firmware/get_throttled";
const TIMESYNC = "/run/systemd/timesync";

/** Never fails: what can't be read is left out. */
export async function boardOf({ certificates = [], root = "" }: BoardSources): Promise<Board> {
  const [memory, firmware, clockSynchronised, ends] = await Promise.all([
    readFile(`${root}/proc/meminfo`, "utf8").catch(() => ""),
    readFile(root + FIRMWARE, "utf8").catch(() => ""),
    clockOf(root + TIMESYNC),
    Promise.all(certificates.map(endOf)),
  ]);
  const board: Board = {};
  const [free, total] = [kibibytes(memory, "MemAvailable"), kibibytes(memory, "MemTotal")];
  if (free !== undefined) board.memoryFreeBytes = free;
  if (total !== undefined) board.memoryTotalBytes = total;
  const bits = Number.parseInt(firmware.trim(), 16);
  if (!Number.isNaN(bits))
    board.throttled = THROTTLED.filter(([bit]) => bits & (1 << bit)).map(([, why]) => why);
  if (clockSynchronised !== undefined) board.clockSynchronised = clockSynchronised;
  const known = ends.filter((end) => end !== undefined);
  if (known.length > 0) board.certificates = known;
  return board;
}

function kibibytes(meminfo: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1];
  return found === undefined ? undefined : Number(found) * 1024;
}

async function clockOf(folder: string): Promise<boolean | undefined> {
  const exists = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    );
  return (await exists(folder)) ? exists(`${folder}/synchronized`) : undefined;
}

async function endOf({ use, file }: { use: string; file: string }) {
  try {
    const endsMs = Date.parse(new X509Certificate(await readFile(file)).validTo);
    return Number.isNaN(endsMs) ? undefined : { use, endsMs };
  } catch {
    return undefined;
  }
}
