/** Reads the configuration from the disk. */

import { readFileSync } from "node:fs";
import type { Environment } from "./environment.ts";
import { unreadable } from "./files.ts";
import { type Loaded, parseConfig } from "./parse.ts";
import { CONFIG_PLACES } from "./places.ts";
import { ConfigFault } from "./problems.ts";
import type { AgentConfig } from "./schema.ts";

export interface LoadOptions {
  /**
   * False leaves files that settings name unread, secrets among them: for commands that only look and may be
   * given by a user who may not read them. Default true.
   */
  files?: boolean;
  environment?: Environment;
}

/** Reads `file`; relative paths in it begin at the working folder. Throws a ConfigFault with all problems. */
export function loadConfig(file: string, options: LoadOptions = {}): AgentConfig {
  return loadWithTree(file, options).config;
}

/** The same with what the file says, for those who show it. */
export function loadWithTree(file: string, options: LoadOptions = {}): Loaded {
  const { files = true, environment = process.env } = options;
  const readText = (path: string): string => readFileSync(path, "utf8");
  return parseConfig(file, readOrFail(file), environment, files ? readText : undefined);
}

function readOrFail(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const hint = `name another with --config; without it windfarm looks for ${CONFIG_PLACES.join(", then ./")}`;
    throw new ConfigFault([{ file, message: unreadable(file, error), hint }]);
  }
}
