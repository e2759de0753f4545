/** Addresses that only this machine can reach. */

import { isIPv4 } from "node:net";

/** True for `localhost`, 127.0.0.0/8 and `::1`, with or without a URL's brackets; no other name is looked up. */
export function isLoopback(host: string): boolean {
  return ["localhost", "::1", "[::1]"].includes(host) || (isIPv4(host) && host.startsWith("127."));
}
