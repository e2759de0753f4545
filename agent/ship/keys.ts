/** Partition keys: random, so that the load spreads over the shards, and short, because they count as payload. */

import { KEY_LENGTH } from "./settings.ts";

/** Bytes behind a key: 48 bits. */
const KEY_BYTES = (KEY_LENGTH * 3) / 4;
const KEYS_AT_ONCE = 256;

/** Gives another key each time; `randomBytes`: that of node:crypto. Asking it for many keys at once is ten times cheaper. */
export function createKeys(randomBytes: (size: number) => Buffer): () => string {
  let pool: Buffer = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at >= pool.length) {
      pool = randomBytes(KEY_BYTES * KEYS_AT_ONCE);
      at = 0;
    }
    at += KEY_BYTES;
    return pool.toString("base64url", at - KEY_BYTES, at);
  };
}
