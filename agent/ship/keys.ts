/**
 * Partition keys: short, because they count as payload, and dealt so that records spread evenly. Kinesis gives a record to
 * the shard whose range holds the MD5 of its key; keys left to chance exceed one shard's second while another has room.
 */

import { createHash, randomBytes } from "node:crypto";
import { KEY_LENGTH } from "./settings.ts";

const KEY_BYTES = (KEY_LENGTH * 3) / 4;
/** Eighths of the range of hashes, in an order in which neighbours are far apart. */
const SLICES = [0, 4, 2, 6, 1, 5, 3, 7];

/** Gives another key each time, KEY_LENGTH ASCII characters that need no escaping in JSON. */
export function createKeys(): () => string {
  let dealt = 0;
  return () => {
    const slice = SLICES[dealt++ % SLICES.length];
    for (;;) {
      const key = randomBytes(KEY_BYTES).toString("base64url");
      if (sliceOf(key) === slice) return key;
    }
  };
}

function sliceOf(key: string): number {
  return (createHash("md5").update(key).digest()[0] ?? 0) >> 5;
}
