/** The stub as a process of its own, for benches: its CPU time is not the agent's. Tells its port, answers "counts". */

import { ShardLimits } from "../../cloud/local/shard-limits.ts";
import { type StubOptions, startKinesisStub } from "./kinesis-stub.ts";
import type { StubPlan } from "./kinesis-stub-process.ts";

const { shards, failing = 0 }: StubPlan = JSON.parse(process.argv[2] ?? "{}");
const startedMs = Date.now();
const live = { readings: 0, slowestMs: 0 };

const startedAt = new Date(startedMs).toISOString();
const RECEIVED = '"received":"';

/** How old the readings were that the agent received since we started. */
function stored(lines: string): void {
  for (let at = lines.indexOf(RECEIVED); at !== -1; at = lines.indexOf(RECEIVED, at + 1)) {
    const start = at + RECEIVED.length;
    const received = lines.slice(start, start + startedAt.length);
    if (received < startedAt) continue;
    live.readings++;
    live.slowestMs = Math.max(live.slowestMs, Date.now() - Date.parse(received));
  }
}

const limits = new ShardLimits();
const END = 2n ** 128n;
limits.follow(
  Array.from({ length: shards ?? 0 }, (_, at) => ({
    id: `${at}`,
    first: (END * BigInt(at)) / BigInt(shards ?? 1),
    last: (END * BigInt(at + 1)) / BigInt(shards ?? 1) - 1n,
  })),
);
const fault: NonNullable<StubOptions["fault"]> = () => ({
  kind: "partial",
  fails: (_, { key, data }) =>
    Math.random() < failing ||
    limits.fullShard({ partitionKey: key, hashKey: undefined, bytes: key.length + data.length }) !==
      undefined,
});
const stub = await startKinesisStub({ keep: false, ...(shards === undefined ? {} : { stored }), fault });
process.on("message", () => process.send?.({ counts: { ...stub.counts, live } }));
process.on("disconnect", () => process.exit(0));
process.send?.({ endpoint: stub.endpoint });
