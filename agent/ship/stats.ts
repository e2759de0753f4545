/** What shipping counts and shows. */

import type { SinkIdentity } from "./sink.ts";
import type { LastError } from "./trouble.ts";

/** Counted since this process started. */
export interface ShipStats {
  stream: string;
  region: string;
  endpoint?: string | undefined;
  requests: number;
  /** Of which not everything was accepted. */
  failedRequests: number;
  /** Accepted. */
  records: number;
  /** Not accepted, counted each time. */
  failedRecords: number;
  /** Accepted. */
  readings: number;
  /** Of accepted records with their keys. */
  bytes: number;
  /** Through the sockets to AWS, both ways, TLS included, TCP/IP not. */
  linkBytes: number;
  /** Readings that wait behind the live ones. */
  backlogReadings: number;
  /** What a reading takes in the source, as last leased; absent before. */
  storedReadingBytes?: number | undefined;
  /** When the newest accepted reading was received, ms since 1970. */
  newestShippedMs?: number | undefined;
  /** Until the next try, 0 when not backing off. */
  backoffSeconds: number;
  lastSuccessMs?: number | undefined;
  lastError?: LastError | undefined;
  /** Who the agent is to AWS, and how long its credentials hold. */
  identity?: SinkIdentity | undefined;
}

/** failing: the last request brought nothing across. throttled: more is sent than the stream accepts. */
export type ShipState = "idle" | "delivering" | "throttled" | "failing" | "stopped";

export type ShipCounters = Pick<
  ShipStats,
  "requests" | "failedRequests" | "records" | "failedRecords" | "readings" | "bytes"
>;

export function newCounters(): ShipCounters {
  return { requests: 0, failedRequests: 0, records: 0, failedRecords: 0, readings: 0, bytes: 0 };
}
