/** The buffer's condition at one moment, for those who show it. */

import type { Logger } from "pino";
import type { Committer } from "./committer.ts";
import { PAGE_BYTES } from "./connection.ts";
import type { Disk } from "./disk.ts";
import type { Health } from "./health.ts";
import type { Intake } from "./intake.ts";
import type { Leases } from "./leases.ts";
import type { Salvager } from "./salvager.ts";
import { accountsOf } from "./state.ts";
import type { Store } from "./store.ts";
import type { BufferStatus } from "./types.ts";

export interface StatusParts {
  maxBytes: number;
  disk: Disk;
  health: Health;
  committer: Committer;
  intake: Intake;
  leases: Leases;
  salvager: Salvager;
  log: Logger;
}

export function statusOf(parts: StatusParts): BufferStatus {
  const { disk, health, committer, salvager } = parts;
  const { times } = committer;
  const look = (store: Store) => ({
    usedBytes: store.usedPages() * PAGE_BYTES,
    oldest: store.nextFront(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)?.received,
  });
  // While the file can't be read, nobody knows.
  const { usedBytes, oldest } = lookAt(parts, look) ?? { usedBytes: 0, oldest: undefined };
  return {
    epoch: disk.state.epoch,
    accounts: accountsOf(disk.state),
    state: health.state,
    ...(health.problem === undefined ? {} : { problem: health.problem }),
    usedBytes,
    maxBytes: parts.maxBytes,
    ...(oldest === undefined ? {} : { oldestReceivedMs: oldest }),
    commits: times.commits,
    committedReadings: times.readings,
    commitSeconds: times.seconds,
    longestCommitSeconds: times.longestSeconds,
    pending: parts.intake.pending,
    leasedGroups: parts.leases.size,
    rejectsKept: disk.state.rejectsKept,
    recovered: salvager.recovered,
    salvagedReadings: salvager.savedReadings,
  };
}

function lookAt<T>({ disk, log }: StatusParts, look: (store: Store) => T): T | undefined {
  try {
    return disk.store === undefined ? undefined : look(disk.store);
  } catch (error) {
    log.debug({ err: error }, "The buffer's file could not be read for its status.");
    return undefined;
  }
}
