/** What hinders the shipping now, said once when it starts, once for each new cause, and once when it is over. */

import type { Logger } from "pino";
import type { Fault } from "../errors.ts";
import { causeOf } from "./errors.ts";

export interface LastError {
  code: string;
  message: string;
  /** The message in a few words. */
  cause?: string | undefined;
  hint?: string | undefined;
  /** ms since 1970. */
  atMs: number;
}

export interface TroubleDeps {
  log: Logger;
  now: () => number;
  monotonicMs: () => number;
  /** Readings that wait in all. */
  waiting: () => number;
}

export class Trouble {
  readonly #deps: TroubleDeps;
  readonly #saidCodes = new Set<string>();
  #sinceMs: number | undefined;
  /** The latest fault, also after it is over. */
  last: LastError | undefined;

  constructor(deps: TroubleDeps) {
    this.#deps = deps;
  }

  met(fault: Fault): void {
    const { code, message, hint } = fault;
    this.last = { code, message, cause: causeOf(code), hint, atMs: this.#deps.now() };
    this.#sinceMs ??= this.#deps.monotonicMs();
    if (this.#saidCodes.has(code)) return;
    this.#saidCodes.add(code);
    this.#deps.log.warn(
      { code, hint, waiting: this.#deps.waiting() },
      `${message}. Readings wait in the buffer and are sent again.`,
    );
  }

  over(): void {
    if (this.#sinceMs === undefined) return;
    const waiting = this.#deps.waiting();
    const seconds = Math.round((this.#deps.monotonicMs() - this.#sinceMs) / 1000);
    this.#sinceMs = undefined;
    this.#saidCodes.clear();
    this.#deps.log.info(
      { seconds, waiting },
      `Kinesis accepts readings again after ${seconds} s; ${waiting} wait.`,
    );
  }
}
