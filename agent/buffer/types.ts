/** What the buffer takes and gives. Its invariants stand at the head of `buffer.ts`. */

import type { Rejection } from "../contract/rejection.ts";

/** Called once when the reading's fate is known: with nothing after its fsync, with the error when it can't be stored. */
export type Stored = (error?: Error | null) => void;

export interface BufferSettings {
  /** The SQLite file; its folder must exist or be creatable. */
  path: string;
  /** Written into every reading. */
  gateway: string;
  /** Own quota for the file, bytes. */
  maxBytes: number;
  onFull: "refuse" | "drop_oldest";
  /** How long the first reading that waits may wait for company, ms. */
  lingerMs: number;
  /** Newest rejects kept, bytes; older ones are dropped from the lane but stay counted. */
  rejectsMaxBytes: number;
  /** Size of the file given up when the disk is full of someone else's data, bytes; 0 for none. */
  ballastBytes: number;
}

/**
 * Readings since the buffer was created: received = buffered + shipped + rejected + dropped, at every moment. What was salvaged
 * from an earlier file, or put back by `windfarm buffer requeue`, is received once more by this one.
 */
export interface Accounts {
  received: number;
  buffered: number;
  shipped: number;
  rejected: number;
  dropped: number;
}

/** One commit group: readings as they will be shipped, newline-delimited. */
export interface Group {
  /**
   * The group's key: its place in the queue. It runs with the `seq` of its first reading, and is that number as long as
   * the buffer file has had one epoch; what was salvaged has places below zero. Shipping needs it to settle, no more.
   */
  groupKey: number;
  /** Readings in it; their seqs follow without gaps. */
  count: number;
  /** When its first reading was received, ms since 1970. */
  receivedMs: number;
  /** One gzip member of NDJSON, a reading a line. */
  body: Buffer;
  /** What is in it. */
  lines: Buffer;
}

/** What became of a leased group. What is not settled stays leased until the buffer is reopened. */
export type Settlement =
  | { outcome: "delivered" }
  /** Sent again later: the lease ends and the group is leased out again, oldest first. */
  | { outcome: "again" }
  /** Can never be delivered: its readings go to the reject lane with the reason. */
  | { outcome: "refused"; detail: string };

export interface BufferStatus {
  epoch: string;
  /** The smallest seq of this epoch still buffered, where there is one. */
  firstSeq?: number;
  /** The largest seq of this epoch that is on disk; 0 for none. */
  lastSeq: number;
  accounts: Accounts;
  /** storing: fine. full: own quota reached. disk_full: no room on the disk. failed: the disk refuses; nothing is acknowledged. */
  state: "storing" | "full" | "disk_full" | "failed";
  /** Why not storing, one sentence. */
  problem?: string;
  /** Bytes used of the quota (0 while the file can't be read), and the quota, less what quarantined files take of it. */
  usedBytes: number;
  maxBytes: number;
  /** When the oldest buffered reading was received, ms since 1970. */
  oldestReceivedMs?: number;
  /** Since this process started. */
  commits: number;
  committedReadings: number;
  /** Seconds spent in commits, and the longest one. */
  commitSeconds: number;
  longestCommitSeconds: number;
  /** Readings handed over and not yet committed. */
  pending: number;
  leasedGroups: number;
  rejectsKept: number;
  /** Damage found at start, as sentences, and readings saved from it. */
  recovered: readonly string[];
  salvagedReadings: number;
  /** Quarantined files that are kept, oldest first. */
  aside: readonly QuarantinedFile[];
}

/** A damaged file, or one of an earlier schema, that was moved away to be read. */
export interface QuarantinedFile {
  file: string;
  bytes: number;
  /** unread: it is still to be read. incomplete: readings in it could not be saved. complete: nothing in it was lost. */
  state: "unread" | "incomplete" | "complete";
}

/** The durable queue. Every implementation passes the same suite. */
export interface ReadingBuffer {
  readonly epoch: string;
  /** Messages one sender should have between `append` and `stored` now; Infinity where nothing is in the way. */
  readonly window: number;
  /**
   * Takes a reading. `head` is copied before the call returns.
   * @param head the shipped reading's fields up to its date as a JSON object, UTF-8 (contract/shipped.ts)
   * @param turbine from the topic; the tail of the shipped reading is made from it
   * @param marks MARK_DAY and MARK_DUP as they apply (contract/shipped.ts)
   */
  append(head: Uint8Array, turbine: string, receivedMs: number, marks: number, stored: Stored): void;
  /** Takes a message that can't be understood; stored and counted in the same commit as readings. */
  reject(rejection: Rejection, receivedMs: number, stored: Stored): void;
  /** Commits what is pending now instead of when the event loop comes to it. */
  flush(): void;
  /**
   * Whole groups not yet leased, from the oldest or from the newest end, ascending by key: up to `maxBytes` of bodies, and at
   * least one group where there is one.
   */
  lease(maxBytes: number, end?: "oldest" | "newest"): Group[];
  settle(groupKey: number, settlement: Settlement): void;
  /** Called after each commit that made groups ready to lease. */
  onReady(listener: () => void): void;
  /** Called on each change of `status().state`. */
  onState(listener: (state: BufferStatus["state"]) => void): void;
  accounts(): Accounts;
  status(): BufferStatus;
  /** Commits or fails what is pending, settles what was delivered, checkpoints, closes. */
  close(): Promise<void>;
}
