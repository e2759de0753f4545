/** Whether the buffer can store, and why not; tells the log and its listeners once a change. */

import type { Logger } from "pino";
import type { BufferStatus } from "./types.ts";

export type StoringState = BufferStatus["state"];

export class StorageState {
  readonly #log: Logger;
  readonly #listeners: ((state: StoringState) => void)[] = [];
  state: StoringState = "storing";
  problem: string | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  onState(listener: (state: StoringState) => void): void {
    this.#listeners.push(listener);
  }

  storing(details: object = {}): void {
    if (this.state === "storing") return;
    this.#log.info({ was: this.state, ...details }, "The buffer stores readings again.");
    this.#change("storing", undefined);
  }

  /**
   * Enters a state with its reason; the same state again only renews the reason. `outcome`: what follows from it, a sentence
   * for the log.
   */
  enter(
    state: Exclude<StoringState, "storing">,
    problem: string,
    details: object = {},
    outcome?: string,
  ): void {
    if (this.state === state) {
      this.problem = problem;
      return;
    }
    const said = outcome === undefined ? problem : `${problem} ${outcome}`;
    if (state === "full") this.#log.warn(details, said);
    else this.#log.error(details, said);
    this.#change(state, problem);
  }

  #change(state: StoringState, problem: string | undefined): void {
    this.state = state;
    this.problem = problem;
    for (const listener of this.#listeners) listener(state);
  }
}
