import t from "tap";
import { readinessOf } from "../../agent/observe/readiness.ts";
import type { Snapshot } from "../../agent/observe/snapshot.ts";
import { sampleSnapshot } from "./sample-snapshot.ts";

const { buffer, collect } = sampleSnapshot();

t.test("Ready is who stores readings durably, also while Kinesis is away", async (t) => {
  for (const state of ["delivering", "idle", "buffering"] as const) {
    t.equal(readinessOf(sampleSnapshot({ state })).ready, true, state);
  }
});

t.test("Dropping the oldest still stores the newest", async (t) => {
  const full = sampleSnapshot({ state: "full", buffer: { ...buffer, state: "full", onFull: "drop_oldest" } });
  t.equal(readinessOf(full).ready, true);
});

const UNREADY: readonly (readonly [title: string, changes: Partial<Snapshot>, reason: RegExp])[] = [
  ["starting", { state: "starting" }, /starting/],
  ["stopping", { state: "stopping" }, /stopping/],
  ["a full buffer that refuses", { buffer: { ...buffer, state: "full" } }, /the buffer is full/],
  [
    "a full disk",
    { buffer: { ...buffer, state: "disk_full", problem: "no room on /var" } },
    /^no room on \/var$/,
  ],
  ["a disk that refuses", { buffer: { ...buffer, state: "failed", problem: "EIO" } }, /^EIO$/],
  ["a listener that isn't up", { collect: { ...collect, ready: false } }, /mqtt:\/\/127\.0\.0\.1:1883/],
  [
    "a broker that is away",
    { collect: { ...collect, mode: "connect", ready: false } },
    /connection to the broker/,
  ],
];

for (const [title, changes, reason] of UNREADY) {
  t.test(`Not ready, and why: ${title}`, async (t) => {
    t.match(readinessOf(sampleSnapshot(changes)), { ready: false, reason });
  });
}
