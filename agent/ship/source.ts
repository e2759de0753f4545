/** Where the readings to ship come from. The buffer is one; shipping knows no more of it than this. */

/** One commit group. */
export interface LeasedGroup {
  /** Its key. */
  firstSeq: number;
  /** Readings in it. */
  count: number;
  /** NDJSON, a reading a line, each with its newline. */
  body: Buffer;
}

/** What became of a leased group; one that is never settled stays leased. */
export type Settlement =
  | { outcome: "delivered" }
  | { outcome: "again" }
  | { outcome: "refused"; detail: string };

export interface ReadingSource {
  /** The oldest groups not leased, up to `maxBytes` of bodies; at least one where there is one. */
  lease(maxBytes: number): LeasedGroup[];
  settle(firstSeq: number, settlement: Settlement): void;
  /** Called whenever there may be something new to lease. */
  onReady(listener: () => void): void;
  accounts(): { buffered: number };
}
