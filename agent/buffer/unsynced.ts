/** Transactions that are in the file and not yet synced, oldest first. */

import type { State } from "./state.ts";
import type { Outcome } from "./transaction.ts";

export class Unsynced {
  #outcomes: Outcome[] = [];
  /** Number of the newest one, counted since the process started. */
  newest = 0;
  /** In their batches. */
  messages = 0;
  bytes = 0;

  get size(): number {
    return this.#outcomes.length;
  }

  push(outcome: Outcome): void {
    this.#outcomes.push(outcome);
    this.newest++;
    this.#count(outcome, 1);
  }

  /** Takes out those up to number `upTo`. */
  takeUpTo(upTo: number): Outcome[] {
    return this.#take(Math.max(0, upTo - this.newest + this.size));
  }

  /** Takes out those that are in a file with this state; `commits`: what its row counted. */
  takeLanded(state: State, commits: number): Outcome[] {
    const firstLost = this.#outcomes.findIndex((each) =>
      each.stateWritten ? commits < each.state.commits : state.lastKey < each.state.lastKey,
    );
    return this.#take(firstLost === -1 ? this.size : firstLost);
  }

  #take(count: number): Outcome[] {
    const taken = this.#outcomes.splice(0, count);
    for (const each of taken) this.#count(each, -1);
    return taken;
  }

  #count({ batch }: Outcome, sign: 1 | -1): void {
    if (batch === undefined) return;
    this.messages += sign * batch.stored.length;
    this.bytes += sign * batch.rejects.reduce((sum, { bytes }) => sum + bytes, batch.body.length);
  }
}
