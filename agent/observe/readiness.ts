/** Whether readings are accepted and stored durably at this moment, and if not, why. */

import type { Snapshot } from "./snapshot.ts";

export interface Readiness {
  ready: boolean;
  /** One sentence. */
  reason: string;
}

export function readinessOf({ state, buffer, collect }: Snapshot): Readiness {
  if (state === "starting") return no("the agent is starting");
  if (state === "stopping") return no("the agent is stopping");
  if (buffer.state === "failed") return no(buffer.problem ?? "the disk refuses to store readings");
  if (buffer.state === "disk_full") return no(buffer.problem ?? "the disk has no room left");
  if (buffer.state === "full" && buffer.onFull === "refuse") {
    return no(buffer.problem ?? "the buffer is full and refuses readings until there is room");
  }
  if (!collect.ready) return no(unreachable(collect));
  return { ready: true, reason: "readings are accepted and stored durably" };
}

function unreachable({ mode, url }: Snapshot["collect"]): string {
  return mode === "listen"
    ? `nothing can be received yet at ${url}`
    : `there is no connection to the broker at ${url}`;
}

function no(reason: string): Readiness {
  return { ready: false, reason };
}
