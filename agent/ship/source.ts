/** Where the readings to ship come from. The buffer is one; shipping knows no more of it than this. */

/** One commit group. */
export interface LeasedGroup {
  /** Its key. */
  groupKey: number;
  /** Readings in it. */
  count: number;
  /** One gzip member of NDJSON, a reading a line, each with its newline. */
  body: Buffer;
}

/** What became of a leased group; one that is never settled stays leased. */
export type Settlement =
  | { outcome: "delivered" }
  | { outcome: "again" }
  | { outcome: "refused"; detail: string };

export interface ReadingSource {
  /** Groups not yet leased, from the oldest or newest end, up to `maxBytes` of bodies; at least one where there is one. */
  lease(maxBytes: number, end?: "oldest" | "newest"): LeasedGroup[];
  settle(groupKey: number, settlement: Settlement): void;
  /** Called whenever there may be something new to lease. */
  onReady(listener: () => void): void;
  accounts(): { buffered: number };
}
