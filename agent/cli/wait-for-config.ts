/**
 * What the service does with a wrong configuration: a dead port would tell nobody, so it says on its page, in its log and to
 * systemd what is wrong, and goes on as the agent as soon as the file is right.
 */

import type { Logger } from "pino";
import { stampOf } from "../collect/file-stamp.ts";
import type { Loaded } from "../config/parse.ts";
import { ConfigFault, problemText } from "../config/problems.ts";
import { statusAddressIn } from "../config/status-address.ts";
import { type Failure, failureRoutes } from "../observe/failure-page.ts";
import { FailureServer } from "../observe/failure-server.ts";
import { createLogger } from "../observe/log.ts";
import { loadAssets } from "../observe/page/assets.ts";
import { createNotify, watchdogTimeoutMs } from "../observe/systemd.ts";
import { Watchdog } from "../observe/watchdog.ts";
import { loadForAgent } from "./load-for-agent.ts";

/** Between two looks at the file. */
const LOOK_EVERY_MS = 1000;
/** The file is read again without having changed: one it names may have, or a right. */
const ANYWAY_AFTER_LOOKS = 15;

/** The configuration, once it is right. Throws at once whatever is no ConfigFault, and every fault where no service manager waits. */
export async function loadOrWait(
  file: string,
  version: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Loaded> {
  try {
    return await loadForAgent(file);
  } catch (error) {
    if (!(error instanceof ConfigFault) || !environment.NOTIFY_SOCKET) throw error;
    return await new Wait(file, version, environment, error).over();
  }
}

class Wait {
  readonly #file: string;
  readonly #log: Logger = createLogger({ level: "info" });
  readonly #server: FailureServer;
  readonly #watchdog: Watchdog;
  readonly #version: string;
  #failure: Failure;
  #seen: string;

  constructor(file: string, version: string, environment: NodeJS.ProcessEnv, fault: ConfigFault) {
    this.#file = file;
    this.#version = version;
    this.#seen = stampOf(file);
    this.#failure = this.#failureOf(fault);
    const routes = failureRoutes(() => this.#failure, loadAssets().style);
    this.#server = new FailureServer({ routes, log: this.#log });
    this.#watchdog = new Watchdog({
      notify: createNotify(environment, this.#log),
      timeoutMs: watchdogTimeoutMs(environment, process.pid),
      progressing: () => true,
      sentence: () => this.#failure.sentence,
      log: this.#log,
    });
  }

  async over(): Promise<Loaded> {
    let wake = (): void => {};
    // A reload asks for another look, now; later it must not end what has no listener of its own yet.
    process.on("SIGHUP", () => wake());
    await this.#server.listen(statusAddressIn(this.#file));
    this.#tell();
    await this.#watchdog.start();
    for (let looks = 1; ; looks++) {
      await new Promise<void>((resolve) => {
        wake = () => {
          looks = 0;
          resolve();
        };
        setTimeout(resolve, LOOK_EVERY_MS);
      });
      if (looks % ANYWAY_AFTER_LOOKS !== 0 && stampOf(this.#file) === this.#seen) continue;
      const loaded = await this.#tryAgain();
      if (loaded === undefined) continue;
      this.#watchdog.pause();
      await this.#server.stop();
      this.#log.info({ file: this.#file }, "The configuration is fine now.");
      return loaded;
    }
  }

  async #tryAgain(): Promise<Loaded | undefined> {
    this.#seen = stampOf(this.#file);
    try {
      return await loadForAgent(this.#file);
    } catch (error) {
      if (!(error instanceof ConfigFault)) throw error;
      const before = this.#failure.problems.map(problemText).join("\n");
      this.#failure = this.#failureOf(error);
      await this.#server.listen(statusAddressIn(this.#file));
      if (error.message === before) return undefined;
      this.#tell();
      await this.#watchdog.look();
      return undefined;
    }
  }

  #tell(): void {
    const { sentence, problems, file } = this.#failure;
    const hint = `Correct ${file}; the agent starts by itself when it changes.`;
    this.#log.error({ code: "config.invalid", hint, problems: problems.map(problemText) }, sentence);
  }

  #failureOf({ problems }: ConfigFault): Failure {
    const [first] = problems;
    const what = first === undefined ? this.#file : problemText(first);
    const more = problems.length > 1 ? `, and ${problems.length - 1} more` : "";
    const sentence = `Failed: the configuration is wrong, nothing is collected: ${what}${more}.`;
    return { version: this.#version, sentence, file: this.#file, problems };
  }
}
