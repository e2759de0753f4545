/** `systemctl reload`: what may change while the agent runs is taken over, and what may not is named. */

import type { Logger } from "pino";
import type { Loaded } from "../config/parse.ts";
import { ConfigFault, problemText } from "../config/problems.ts";
import { loadForAgent } from "./load-for-agent.ts";

export interface Reload {
  file: string;
  /** What the agent was started with. */
  loaded: Loaded;
  log: Logger;
  /** It and all made from it. */
  loggers: readonly Logger[];
  agent: { reload(): void };
}

/** Never rejects: a configuration that is wrong changes nothing, and the log says so. */
export async function reload({ file, loaded, log, loggers, agent }: Reload): Promise<void> {
  try {
    const { config } = await loadForAgent(file);
    for (const each of loggers) each.level = config.log.level;
    agent.reload();
    const waiting = changedSections(loaded.config, config);
    const rest =
      waiting.length === 0
        ? ""
        : ` ${waiting.join(", ")} changed too: systemctl restart windfarm takes that over.`;
    log.info({ level: config.log.level, waiting }, `Users and log level were read again.${rest}`);
  } catch (error) {
    if (!(error instanceof ConfigFault)) return void log.error({ err: error }, "Nothing was taken over.");
    const problems = error.problems.map(problemText);
    log.error(
      { code: error.code, problems },
      "The configuration is wrong; nothing was taken over, and the agent goes on as before.",
    );
  }
}

/** Settings that only a start reads and that are not what they were; `log` is taken over. */
function changedSections(before: Loaded["config"], now: Loaded["config"]): string[] {
  const old = new Map(Object.entries(before));
  return Object.entries(now)
    .filter(([name, section]) => name !== "log" && JSON.stringify(section) !== JSON.stringify(old.get(name)))
    .map(([name]) => name);
}
