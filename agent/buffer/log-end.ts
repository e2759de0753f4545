/** Whether SQLite's log goes on behind the last frame that SQLite accepts. What stands there is not read, only seen. */

import { readFileSync } from "node:fs";
import { FRAME_BYTES } from "./connection.ts";

const HEADER_BYTES = 32;
/** Two random numbers that the log's header and each frame of its present round share. */
const SALT_BYTES = 8;
const HEADER_SALT = 16;
const FRAME_SALT = 8;

/**
 * True if frames of the present round stand behind the `accepted` ones: a power cut leaves such an end, and so does damage
 * in the middle. True as well for a log of which SQLite accepts nothing, though it was written.
 */
export function isCutShort(path: string, accepted: number): boolean {
  let log: Buffer;
  try {
    log = readFileSync(path);
  } catch {
    return true;
  }
  if (accepted === 0) return log.some((byte) => byte !== 0);
  const salt = log.subarray(HEADER_SALT, HEADER_SALT + SALT_BYTES);
  for (let at = HEADER_BYTES + accepted * FRAME_BYTES; at + FRAME_SALT < log.length; at += FRAME_BYTES) {
    if (salt.equals(log.subarray(at + FRAME_SALT, at + FRAME_SALT + SALT_BYTES))) return true;
  }
  return false;
}
