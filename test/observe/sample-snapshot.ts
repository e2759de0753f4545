/** A snapshot of an agent in good order, to be bent by each test. */

import type { Snapshot } from "../../agent/observe/snapshot.ts";

export const NOON_MS = Date.parse("2026-11-22T12:00:00.000Z");

export function sampleSnapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    gateway: "gw-01",
    site: "demo",
    version: "0.2.0",
    startedMs: NOON_MS - 3_600_000,
    nowMs: NOON_MS,
    epoch: "t8k2q1",
    state: "delivering",
    sentence: "Delivering, 0 s behind.",
    received: 48_213,
    buffered: 113,
    shipped: 48_095,
    rejected: 5,
    dropped: 0,
    oldestBufferedSeconds: 0.8,
    collect: {
      mode: "listen",
      url: "mqtt://127.0.0.1:1883",
      ready: true,
      connections: 15,
      closedConnections: {},
      refusedLogins: {},
    },
    validate: {
      accepted: { "Power Factor": 16_070, "Temperature Battery": 16_069, "Hydraulic Pressure": 16_069 },
      outOfRange: { "Hydraulic Pressure": 12 },
      rejected: { not_json: 4, no_date: 1 },
    },
    buffer: {
      state: "storing",
      onFull: "refuse",
      usedBytes: 1_572_864,
      maxBytes: 2 * 1024 ** 3,
      commits: 12_040,
      committedReadings: 48_213,
      commitSeconds: 18.2,
      longestCommitSeconds: 0.041,
      pending: 0,
      rejectsKept: 5,
      salvagedReadings: 0,
      recovered: [],
      aside: [],
    },
    ship: {
      stream: "windfarm-readings",
      region: "us-east-1",
      requests: 3604,
      failedRequests: 0,
      records: 3604,
      failedRecords: 0,
      readings: 48_095,
      bytes: 9_871_002,
      backoffSeconds: 0,
      lastSuccessMs: NOON_MS - 1000,
    },
    health: {
      rssBytes: 71 * 1024 ** 2,
      cpuSeconds: 14.2,
      load1: 0.12,
      temperatureCelsius: 48,
      diskFreeBytes: 21 * 1024 ** 3,
      diskTotalBytes: 29 * 1024 ** 3,
    },
    ...changes,
  };
}
