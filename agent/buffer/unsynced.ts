/** Transactions that are in the file and not yet synced, oldest first, each with what must be done again should it be lost. */

import type { Batch } from "./batch.ts";
import type { State } from "./state.ts";
import type { Outcome } from "./transaction.ts";

export interface Transaction {
  outcome: Outcome;
  /** What it added, if anything. */
  batch: Batch | undefined;
  /** True if there is more to lease once it is synced. */
  addsGroups: boolean;
  /** What it took, ms. */
  ms: number;
}

export class Unsynced {
  #transactions: Transaction[] = [];
  /** Number of the newest one, counted since the process started. */
  newest = 0;
  /** In their batches. */
  messages = 0;
  bytes = 0;

  get size(): number {
    return this.#transactions.length;
  }

  push(transaction: Transaction): void {
    this.#transactions.push(transaction);
    this.newest++;
    this.#count(transaction, 1);
  }

  /** Takes out those up to number `upTo`. */
  takeUpTo(upTo: number): Transaction[] {
    const oldest = this.newest - this.#transactions.length + 1;
    return this.#take(Math.max(0, upTo - oldest + 1));
  }

  /** Takes out those that are in a file with this state; `commits`: what its row counted. */
  takeLanded(state: State, commits: number): Transaction[] {
    const isLost = ({ outcome }: Transaction): boolean =>
      outcome.stateWritten ? commits < outcome.state.commits : state.lastKey < outcome.state.lastKey;
    const firstLost = this.#transactions.findIndex(isLost);
    return this.#take(firstLost === -1 ? this.#transactions.length : firstLost);
  }

  #take(count: number): Transaction[] {
    const taken = this.#transactions.splice(0, count);
    for (const each of taken) this.#count(each, -1);
    return taken;
  }

  #count({ batch }: Transaction, sign: 1 | -1): void {
    this.messages += sign * (batch?.stored.length ?? 0);
    const rejects = batch?.rejects.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
    this.bytes += sign * ((batch?.body.length ?? 0) + rejects);
  }
}
