/** Where the readings to ship come from. The buffer is one; shipping knows no more of it than this. */

/** One commit group. */
export interface LeasedGroup {
  /** Its place in the queue: later groups have larger keys. */
  groupKey: number;
  /** Readings in it. */
  count: number;
  /** When its first reading was received, ms since 1970. */
  receivedMs: number;
  /** One gzip member of NDJSON, a reading a line, each with its newline. */
  body: Buffer;
  /** What is in it. */
  lines: Buffer;
}

/** What became of a leased group; one that is never settled stays leased. */
export type Settlement =
  | { outcome: "delivered" }
  | { outcome: "again" }
  | { outcome: "refused"; detail: string };

export interface ReadingSource {
  /**
   * Whole groups not yet leased, from the oldest or the newest end, ascending by key: up to `maxBytes` of bodies, and at
   * least one group where there is one.
   */
  lease(maxBytes: number, end: "oldest" | "newest"): LeasedGroup[];
  settle(groupKey: number, settlement: Settlement): void;
  /** Called whenever there may be something new to lease. */
  onReady(listener: () => void): void;
  accounts(): { buffered: number };
}
