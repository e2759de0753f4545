/** Options that several commands take. */

import { CONFIG_PLACES } from "../config/places.ts";

export const configOption = {
  type: "string",
  requiresArg: true,
  description: `Configuration file; without it ${CONFIG_PLACES.join(", then ./")}`,
} as const;

export const jsonOption = {
  type: "boolean",
  default: false,
  description: "Print one JSON object, for programs",
} as const;
