/** The counters whose rates the page shows. */

import type { Snapshot } from "../snapshot.ts";

/** Rates on the page are means over this long. */
export const PAGE_RATE_WINDOW_MS = 10_000;

export function countersOf(snapshot: Snapshot): Record<string, number> {
  const { received, shipped, rejected, dropped, validate, health } = snapshot;
  const counters: Record<string, number> = { received, shipped, rejected, dropped, cpu: health.cpuSeconds };
  for (const [type, accepted] of Object.entries(validate.accepted))
    counters[acceptedCounter(type)] = accepted;
  return counters;
}

/** The name of a sensor type's counter. */
export function acceptedCounter(type: string): string {
  return `accepted:${type}`;
}
