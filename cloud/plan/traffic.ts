/** What a fleet sends and what becomes of it: bytes, records, objects, rows. The measured figures it rests on stand here. */

import type { StageSettings } from "../settings.ts";

export interface Fleet {
  gateways: number;
  /** Turbines of a gateway. */
  turbines: number;
  /** Readings a second of one sensor, as in `npm run simulate`. */
  rate: number;
}

export const SENSORS_OF_TURBINE = 3;
export const DAY_SECONDS = 86_400;
/** A month as bills have it. */
export const MONTH_HOURS = 730;
export const MONTH_SECONDS = MONTH_HOURS * 3_600;

/** The agent's defaults: `kinesis.flush_every`, seconds, and `kinesis.record_size`, bytes. */
const FLUSH_SECONDS = 10;
const RECORD_BYTES = 50 * 1024;

/** Measured: bytes a reading of 178 to 190 bytes takes in a gzip member (level 6) of so many readings of one gateway. */
const MEMBER_BYTES: readonly (readonly [readings: number, bytes: number])[] = [
  [1, 150],
  [3, 77],
  [9, 37.6],
  [30, 22.7],
  [90, 17.5],
  [1_000, 16.5],
];
/** Measured: what a PutRecords request with a session token and its answer are besides the records, and TLS and IP, bytes. */
const REQUEST_BYTES = 1_822 + 434 + 350;
/** Records travel in JSON, in Base64. */
const BASE64 = 4 / 3;
/** A gateway's own state, once a minute: a member of one line. */
const STATE_BYTES = 300;
const STATE_SECONDS = 60;
/** Measured: a row of the curated table's Parquet files, bytes. */
const ROW_BYTES = 19;

export interface Traffic {
  fleet: Fleet;
  /** Readings a second, of one gateway and of all. */
  gatewayReadings: number;
  readings: number;
  /** gzip bytes of a reading. */
  readingBytes: number;
  /** What one gateway's link carries, bytes a day, everything counted. */
  linkDayBytes: number;
  /** Put on the stream, a second. */
  records: number;
  recordBytes: number;
  bytes: number;
  /** Raw objects an hour. */
  objects: number;
  /** Growth of the raw bucket and of the curated table, bytes a day. */
  rawDayBytes: number;
  rowsDayBytes: number;
}

export function trafficOf(fleet: Fleet, { delivery }: Pick<StageSettings, "delivery">): Traffic {
  const gatewayReadings = fleet.turbines * SENSORS_OF_TURBINE * fleet.rate;
  // A gateway that has less than a reading in a flush sends one whenever there is one.
  const flush = Math.max(1, gatewayReadings * FLUSH_SECONDS);
  const flushes = gatewayReadings / flush;
  const readingBytes = memberBytes(flush);
  const state = STATE_BYTES / STATE_SECONDS;
  const gatewayBytes = gatewayReadings * readingBytes + state;
  const gatewayRecords = Math.max(flushes, gatewayBytes / RECORD_BYTES);
  const readings = gatewayReadings * fleet.gateways;
  const bytes = gatewayBytes * fleet.gateways;
  const perHour = 3_600 / delivery.intervalSeconds;
  return {
    fleet,
    gatewayReadings,
    readings,
    readingBytes,
    linkDayBytes: (gatewayBytes * BASE64 + flushes * REQUEST_BYTES) * DAY_SECONDS,
    records: gatewayRecords * fleet.gateways,
    recordBytes: gatewayBytes / gatewayRecords,
    bytes,
    objects: Math.max(perHour, (bytes * 3_600) / (delivery.sizeMiB * 2 ** 20)),
    rawDayBytes: bytes * DAY_SECONDS,
    rowsDayBytes: readings * ROW_BYTES * DAY_SECONDS,
  };
}

/** Bytes of a reading in a member of so many, between the measured sizes by their logarithms. */
function memberBytes(readings: number): number {
  const after = MEMBER_BYTES.findIndex(([size]) => size >= readings);
  const [upper, lower] = [MEMBER_BYTES[after], MEMBER_BYTES[after - 1]];
  if (upper === undefined) return MEMBER_BYTES.at(-1)?.[1] ?? 0;
  if (lower === undefined) return upper[1];
  const share = Math.log(readings / lower[0]) / Math.log(upper[0] / lower[0]);
  return lower[1] * (upper[1] / lower[1]) ** share;
}
