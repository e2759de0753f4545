/** The row that makes a start independent of the backlog: who we are, how far we are, and the accounts. */

import type { Accounts } from "./types.ts";

export interface State extends Accounts {
  epoch: string;
  /** ms since 1970. */
  born: number;
  /** `key - epochBase` is the `seq` of a group's first reading. */
  epochBase: number;
  /** Key of the newest reading ever stored, kept when all groups are gone. */
  lastKey: number;
  /** Key the next salvaged group gets. */
  salvagedKey: number;
  /** Transactions since the file was born; tells after a failure which of the last ones are in the file. */
  commits: number;
  /** 1 if the file was closed in order, so that nothing can be missing at its end; 0 while it is in use. */
  closed: number;
  rejectsKept: number;
  rejectsBytes: number;
}

export function accountsOf(state: State): Accounts {
  const { received, buffered, shipped, rejected, dropped } = state;
  return { received, buffered, shipped, rejected, dropped };
}

/** Whether the accounts can be what they claim: whole, not negative, and in balance. */
export function inBalance(a: Accounts): boolean {
  const parts = [a.received, a.buffered, a.shipped, a.rejected, a.dropped];
  return (
    parts.every((part) => Number.isSafeInteger(part) && part >= 0) &&
    a.received === a.buffered + a.shipped + a.rejected + a.dropped
  );
}
