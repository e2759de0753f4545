/** What hinders the shipping now, said once when it starts, once for each new cause, and once when it is over. */

import type { Logger } from "pino";
import type { Fault } from "../errors.ts";
import { causeOf } from "./errors.ts";

export interface LastError {
  code: string;
  message: string;
  /** The message in a few words. */
  cause?: string;
  hint?: string;
  /** ms since 1970. */
  atMs: number;
}

export interface TroubleDeps {
  log: Logger;
  now: () => number;
  monotonicMs: () => number;
}

export class Trouble {
  readonly #deps: TroubleDeps;
  readonly #saidCodes = new Set<string>();
  #sinceMs: number | undefined;
  #last: LastError | undefined;

  constructor(deps: TroubleDeps) {
    this.#deps = deps;
  }

  /** The latest fault, also after it is over. */
  get last(): LastError | undefined {
    return this.#last;
  }

  get active(): boolean {
    return this.#sinceMs !== undefined;
  }

  met(fault: Fault, waiting: number): void {
    const { code, message, hint } = fault;
    const cause = causeOf(code);
    this.#last = {
      code,
      message,
      ...(cause === undefined ? {} : { cause }),
      ...(hint === undefined ? {} : { hint }),
      atMs: this.#deps.now(),
    };
    this.#sinceMs ??= this.#deps.monotonicMs();
    if (this.#saidCodes.has(code)) return;
    this.#saidCodes.add(code);
    this.#deps.log.warn(
      { code, hint, waiting },
      `${message}. Readings wait in the buffer and are sent again.`,
    );
  }

  over(waiting: number): void {
    if (this.#sinceMs === undefined) return;
    const seconds = Math.round((this.#deps.monotonicMs() - this.#sinceMs) / 1000);
    this.#sinceMs = undefined;
    this.#saidCodes.clear();
    this.#deps.log.info(
      { seconds, waiting },
      `Kinesis accepts readings again after ${seconds} s; ${waiting} wait.`,
    );
  }
}
