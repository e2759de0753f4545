/** Where a configuration is looked for when none is named. */

import { existsSync } from "node:fs";

/** In this order. */
export const CONFIG_PLACES = ["/etc/windfarm/agent.config.yaml", "agent.config.yaml"] as const;

/** The first of the usual places that exists, or the last of them. */
export function defaultConfigFile(): string {
  return CONFIG_PLACES.find((place) => existsSync(place)) ?? CONFIG_PLACES[1];
}
