/** Where a configuration is looked for when none is named. */

import { statSync } from "node:fs";
import { codeOf } from "../errors.ts";

/** In this order. */
export const CONFIG_PLACES = ["/etc/windfarm/agent.config.yaml", "agent.config.yaml"] as const;

/** The first of `places` that exists or is hidden from this user, who is to hear just that; otherwise the last. */
export function defaultConfigFile(places: readonly [string, string] = CONFIG_PLACES): string {
  return places.find(mayBeThere) ?? places[1];
}

function mayBeThere(file: string): boolean {
  try {
    statSync(file);
    return true;
  } catch (error) {
    return codeOf(error) === "EACCES";
  }
}
