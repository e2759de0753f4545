/** Ports on this machine: which are free, and who may sit on one that is not. */

import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { codeOf, Fault } from "../../agent/errors.ts";

export interface WantedPort {
  /** What listens there, e.g. "the agent's broker (MQTT)". */
  purpose: string;
  port: number;
  host: string;
  /** The option that changes it. */
  option: string;
  likelyOwner: string;
}

/** Below the ports that systems give away themselves: what asks for any port, or connects, can't take one of these meanwhile. */
const GIVEN_AWAY_FROM = 32_768;
const LOWEST = 16_384;

/** So many ports that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = new Map<number, Server>();
  try {
    while (servers.size < count) {
      const port = randomInt(LOWEST, GIVEN_AWAY_FROM);
      const server = await listen(port, "127.0.0.1").catch((error) => {
        if (codeOf(error) !== "EADDRINUSE") throw error;
      });
      if (server !== undefined) servers.set(port, server);
    }
  } finally {
    await Promise.all([...servers.values()].map(close));
  }
  return [...servers.keys()];
}

/** Throws a Fault that names every wanted port that can't be had, a line each. */
export async function requireFree(wanted: readonly WantedPort[]): Promise<void> {
  const problems: string[] = [];
  const hints: string[] = [];
  for (const { purpose, port, host, option, likelyOwner } of wanted) {
    try {
      await close(await listen(port, host));
    } catch (error) {
      const code = codeOf(error);
      const what = code === "EADDRINUSE" ? "is in use" : `can't be had (${code})`;
      problems.push(`port ${port} for ${purpose} ${what}`);
      hints.push(code === "EADDRINUSE" ? `${port} may belong to ${likelyOwner}; ${option} N` : `${option} N`);
    }
  }
  if (problems.length === 0) return;
  hints.push("--ports auto, for any free ones. Nothing was started.");
  throw new Fault("start.port", problems.join("\n"), { hint: hints.join("\n") });
}

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer();
  server.listen(port, host);
  await once(server, "listening");
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}
