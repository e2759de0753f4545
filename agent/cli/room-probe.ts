/** `windfarm check --online`: whether the buffer's folder can be written to and its disk bears what the buffer may become. */

import { accessSync, constants, existsSync, mkdtempSync, rmdirSync, statfsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { formatBytes } from "../common/format.ts";
import type { AgentConfig } from "../config/schema.ts";
import { messageOf } from "../errors.ts";
import type { Outcome } from "./outcome.ts";

type Buffer = AgentConfig["buffer"];

/** Endings of the files that are the buffer's: itself, its log, its ballast. */
const ENDINGS = ["", "-wal", ".ballast"];

/** Leaves nothing behind. */
export function probeFolder({ path }: Pick<Buffer, "path">): Outcome {
  const file = resolve(path);
  const folder = existing(dirname(file));
  try {
    rmdirSync(mkdtempSync(join(folder, ".windfarm-check-")));
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    return { ok: true, message: `The buffer's folder ${folder} can be written to` };
  } catch (error) {
    return {
      ok: false,
      message: `The buffer can't be written to ${folder}: ${messageOf(error)}`,
      hint: "let the agent's user own that folder, or check as that user; buffer.path names another one",
    };
  }
}

/** Room is what is free and what the buffer has already. */
export function probeRoom(buffer: Pick<Buffer, "path" | "maxBytes" | "ballastBytes">): Outcome {
  const file = resolve(buffer.path);
  const folder = existing(dirname(file));
  try {
    const { bavail, bsize } = statfsSync(folder);
    return judgeRoom({ folder, freeBytes: bavail * bsize, ownBytes: occupiedBy(file) }, buffer);
  } catch (error) {
    return { ok: true, message: `The disk of ${folder} could not be looked at: ${messageOf(error)}` };
  }
}

export interface Room {
  folder: string;
  freeBytes: number;
  /** What the buffer occupies already. */
  ownBytes: number;
}

export function judgeRoom(
  { folder, freeBytes, ownBytes }: Room,
  { maxBytes, ballastBytes }: Pick<Buffer, "maxBytes" | "ballastBytes">,
): Outcome {
  const besides = ownBytes > 0 ? ` besides the ${formatBytes(ownBytes)} it occupies` : "";
  const message = `There is ${formatBytes(freeBytes)} free for the buffer in ${folder}${besides}`;
  const wanted = maxBytes + ballastBytes;
  if (freeBytes + ownBytes >= wanted) return { ok: true, message };
  return {
    ok: false,
    message: `${message}, but buffer.max_size and buffer.ballast together are ${formatBytes(wanted)}`,
    hint: "lower buffer.max_size, or make room: a disk that others fill stops the collecting too",
  };
}

function occupiedBy(file: string): number {
  let bytes = 0;
  for (const ending of ENDINGS) bytes += statSync(`${file}${ending}`, { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

function existing(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : existing(dirname(folder));
}
