/** The configuration as the agent takes it: the files it names are read, and judged by those who know their form. */

import type { LoadOptions } from "../config/load.ts";
import type { Loaded } from "../config/parse.ts";

/** Throws a ConfigFault with all problems, those in the named files with the file's own lines. */
export async function loadForAgent(file: string): Promise<Loaded> {
  const [{ loadWithTree }, { readUsersText }] = await Promise.all([
    import("../config/load.ts"),
    import("../collect/users-file.ts"),
  ]);
  const judges: LoadOptions["judges"] = { "mqtt.users_file": (text) => readUsersText(text).problems };
  return loadWithTree(file, { judges });
}
