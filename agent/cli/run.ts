/** `windfarm run`: the agent, until a signal ends it. */

import nodeModule from "node:module";
import type { Logger } from "pino";
import type { CommandModule } from "yargs";
import { defaultConfigFile } from "../config/places.ts";
import { problemText } from "../config/problems.ts";
import { EXIT, Fault } from "../errors.ts";
import { keepMemoryLow } from "./memory.ts";
import { configOption } from "./options.ts";
import { reload } from "./reload.ts";

interface RunArguments {
  config: string | undefined;
}

/** What is running and can be stopped. */
export interface RunningAgent {
  stop(deadlineMs: number): Promise<void>;
  /** Reads again what may change while it runs. */
  reload(): void;
  /** Settles when the agent ends by itself. */
  finished: Promise<void>;
}

/** What the agent may take to finish what it has begun. */
export const STOP_DEADLINE_MS = 10_000;

export function runCommand(version: string): CommandModule<object, RunArguments> {
  return {
    command: "run",
    describe: "Collect, buffer and ship readings until told to stop",
    builder: (command) => command.option("config", configOption),
    handler: async ({ config: file = defaultConfigFile() }) => {
      const [{ loadOrWait }, { createLogger }, { LastProblems }, { startAgent }] = await Promise.all([
        import("./wait-for-config.ts"),
        import("../observe/log.ts"),
        import("../observe/last-problems.ts"),
        import("../agent.ts"),
      ]);
      const loaded = await loadOrWait(file, version);
      const { config, warnings } = loaded;
      const problems = new LastProblems();
      const loggers: Logger[] = [];
      const log = createLogger({ level: config.log.level, problems, loggers });
      for (const warning of warnings) log.warn(problemText(warning));
      endOnSurprises(log);
      const signals = new Signals(log);
      let agent: RunningAgent | undefined;
      let reloads = false;
      // What `systemctl reload` sends, perhaps before the start is over. A terminal that closes sends it too, and means to end.
      if (!process.stdin.isTTY) {
        process.on("SIGHUP", () => {
          reloads = agent === undefined;
          if (agent !== undefined) void reload({ file, loaded, log, loggers, agent });
        });
      }
      agent = await startAgent({ config, log, problems, version });
      if (reloads) void reload({ file, loaded, log, loggers, agent });
      keepMemoryLow();
      keepCompiled();
      await runUntilStopped(agent, signals);
      process.exit(EXIT.ok);
    },
  };
}

/** What was compiled for this start is kept for the next, which may follow a power cut and not an orderly end. */
function keepCompiled(): void {
  // Node.js 22 and newer, where NODE_COMPILE_CACHE names a folder.
  if ("flushCompileCache" in nodeModule && typeof nodeModule.flushCompileCache === "function")
    nodeModule.flushCompileCache();
}

async function runUntilStopped(agent: RunningAgent, signals: Signals): Promise<void> {
  await Promise.race([signals.first, agent.finished]);
  const overdue = setTimeout(() => {
    throw new Fault(
      "agent.stop_overdue",
      "the agent did not stop in time; what it has acknowledged is on disk",
    );
  }, STOP_DEADLINE_MS * 1.5);
  await agent.stop(STOP_DEADLINE_MS);
  clearTimeout(overdue);
}

/** The first SIGTERM or SIGINT asks to stop, the second does not ask. */
class Signals {
  readonly first: Promise<void>;

  constructor(log: Logger) {
    this.first = new Promise((resolve) => {
      let asked = false;
      const onSignal = (signal: NodeJS.Signals): void => {
        if (asked) {
          log.warn(
            { signal },
            "Asked to stop a second time: exiting at once. What was acknowledged is on disk.",
          );
          process.exit(EXIT.failed);
        }
        asked = true;
        log.info({ signal }, "Stopping.");
        resolve();
      };
      process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
    });
  }
}

/** A state nobody foresaw can't be trusted with acknowledgements: say it and end, the supervisor starts anew. */
function endOnSurprises(log: Logger): void {
  const end = (error: unknown): void => {
    log.fatal({ err: error }, "Exiting after an unexpected error. What was acknowledged is on disk.");
    process.exit(EXIT.failed);
  };
  process.on("uncaughtException", end).on("unhandledRejection", end);
}
