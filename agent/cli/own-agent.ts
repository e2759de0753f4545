/** Whether the agent that answers at the configured page is the one that this configuration runs. */

import type { AgentConfig } from "../config/schema.ts";
import { askStatus, type Status } from "./status-client.ts";

type Whose = Pick<AgentConfig, "gateway" | "buffer">;

/** What tells the agent that answered from this configuration's, or undefined where nothing does. */
export async function strangerBy(
  { gateway, buffer }: Whose,
  status: Pick<Status, "gateway" | "epoch">,
): Promise<string | undefined> {
  if (status.gateway !== gateway.id) return `its gateway is ${status.gateway} and not ${gateway.id}`;
  const epoch = await epochOf(buffer.path);
  if (epoch === undefined || epoch === status.epoch) return undefined;
  return `its buffer has the epoch ${status.epoch}, and ${buffer.path} has ${epoch}`;
}

/** The status of this configuration's own agent, where it runs and answers. */
export async function askOwnAgent(config: AgentConfig): Promise<Status | undefined> {
  try {
    const { status } = await askStatus(config.status.url);
    return (await strangerBy(config, status)) === undefined ? status : undefined;
  } catch {
    return undefined;
  }
}

/** Of the buffer's file; undefined where there is none to be seen or this user may not read it. */
async function epochOf(path: string): Promise<string | undefined> {
  const { inspect, stateIn } = await import("../buffer/tools/inspect.ts");
  try {
    return inspect(path, (db) => stateIn(db).epoch);
  } catch {
    return undefined;
  }
}
