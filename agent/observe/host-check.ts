/**
 * Whom the status server answers. A page in somebody's browser can make a name of its own lead to this machine (DNS
 * rebinding) and read the answers; it can't do so with an address or with a name that is known to be ours.
 */

import { isIP } from "node:net";

export interface KnownHosts {
  /** What the server listens on, and what the machine is called. */
  names: readonly string[];
}

/** True where `header` (a Host header: name or address, port or none) names this machine. */
export function isOurHost(header: string | undefined, { names }: KnownHosts): boolean {
  const host = hostOf(header ?? "");
  if (host === undefined) return false;
  if (isIP(host) !== 0 || host === "localhost" || host.endsWith(".localhost")) return true;
  return names.some((name) => {
    const known = name.toLowerCase();
    return host === known || host === `${known}.local`;
  });
}

/** The host without its port, in lower case; undefined for what is no Host header. */
function hostOf(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]]+))(?::\d{1,5})?$/i.exec(header.trim());
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, "");
}
