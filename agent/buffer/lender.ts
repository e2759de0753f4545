/** Gives groups out to those who ship them, and takes the answers. */

import type { Logger } from "pino";
import type { Committer } from "./committer.ts";
import type { Disk } from "./disk.ts";
import type { Leases } from "./leases.ts";
import { mendGroup } from "./mend.ts";
import { asMember, readGroups } from "./reader.ts";
import type { GroupRow } from "./store.ts";
import { addDamaged, trimRejects } from "./transaction.ts";
import type { Trouble } from "./trouble.ts";
import type { Group } from "./types.ts";

export interface LenderParts {
  disk: Disk;
  leases: Leases;
  committer: Committer;
  trouble: Trouble;
  rejectsMaxBytes: number;
  log: Logger;
}

export class Lender {
  readonly #parts: LenderParts;

  constructor(parts: LenderParts) {
    this.#parts = parts;
  }

  /** As `ReadingBuffer.lease`; nothing where the file can't be read, which is then dealt with. */
  lease(maxBytes: number): Group[] {
    const { disk, leases, committer, trouble } = this.#parts;
    if (disk.store === undefined) return [];
    try {
      const groups = readGroups(disk.store, leases, maxBytes, (row) => this.#mend(row));
      trouble.suspicion.succeeded("lease");
      return groups;
    } catch (error) {
      committer.failed(error, "lease");
      return [];
    }
  }

  /** A damaged group met at the front: what can be read goes on, the rest is counted and kept aside as it is. */
  #mend(row: GroupRow): Group | "gone" | "later" {
    const { committer, rejectsMaxBytes, log } = this.#parts;
    const { row: mended, body, lost } = mendGroup(row);
    const done = committer.change((store, state) => {
      if (mended.count === 0) store.deleteGroup(row.key);
      else store.replaceBody(mended);
      if (lost > 0) addDamaged(store, state, row, lost);
      trimRejects(store, state, rejectsMaxBytes);
    });
    if (!done) return "later";
    const details = { group: row.key, readings: row.count, lost };
    if (lost === 0) log.warn(details, "A damaged group in the buffer was put right.");
    else log.error(details, "A group in the buffer is damaged: readings in it are lost.");
    if (mended.count === 0) return "gone";
    return { groupKey: row.key, count: mended.count, receivedMs: row.received, body: asMember(body) };
  }
}
