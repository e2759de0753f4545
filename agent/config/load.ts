/** Reads the configuration from the disk. */

import { readFileSync, statSync } from "node:fs";
import { codeOf } from "../errors.ts";
import type { Environment } from "./environment.ts";
import { type Disk, type PathKind, unreadable } from "./files.ts";
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
  /** Judge what those files hold. */
  judges?: Disk["judges"];
  environment?: Environment;
}

/** Reads `file`; relative paths in it begin at the working folder. Throws a ConfigFault with all problems. */
export function loadConfig(file: string, options: LoadOptions = {}): AgentConfig {
  return loadWithTree(file, options).config;
}

/** The same with what the file says, for those who show it. */
export function loadWithTree(file: string, options: LoadOptions = {}): Loaded {
  const { files = true, judges = {}, environment = process.env } = options;
  const read = (path: string): string => readFileSync(path, "utf8");
  return parseConfig(file, readOrFail(file), environment, files ? { read, judges, kindOf } : { kindOf });
}

function kindOf(path: string): PathKind | undefined {
  try {
    const found = statSync(path);
    return found.isDirectory() ? "folder" : found.isFile() ? "file" : "other";
  } catch {
    // Nothing there, or nothing this user may see.
    return undefined;
  }
}

function readOrFail(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const other = `name another with --config; without it windfarm looks for ${CONFIG_PLACES.join(", then ./")}`;
    const hint = codeOf(error) === "EACCES" ? "run this with sudo, or name another with --config" : other;
    throw new ConfigFault([{ file, message: unreadable(file, error), hint }]);
  }
}
