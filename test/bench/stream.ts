/**
 * A backlog against streams that refuse: two shards with their real limits while readings come in, and a tenth of the
 * records throttled whatever we send.
 */

import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { SHARD_LIMITS } from "../../cloud/local/shard-limits.ts";
import { forkKinesisStub, type StubPlan } from "../helpers/kinesis-stub-process.ts";
import { fill } from "./backlog.ts";
import { generateLoad } from "./generate.ts";
import { AgentProgram, usageOf } from "./programs.ts";
import type { Bench } from "./report.ts";

const GROUP = 1000;
const SHARDS = 2;
const FLUSH_SECONDS = 2;
const LIVE_PER_SECOND = 9;
/** What leaves at first is what the shards had saved up. */
const WARM_UP_SECONDS = 5;
const POLL_MS = 100;

const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));

/** The backlog in `folder` against two shards, while readings come in. */
async function beside(folder: string, readings: number) {
  const stub = await forkKinesisStub({ shards: SHARDS });
  const kinesis = `flush_every: ${FLUSH_SECONDS}s`;
  const agent = await AgentProgram.start({ folder, endpoint: stub.endpoint, kinesis });
  const plan = { port: agent.port, connections: 3, window: 100, bytes: 100, perSecond: LIVE_PER_SECOND };
  const load = generateLoad({ ...plan, seconds: Math.ceil((readings * 14) / (SHARDS * SHARD_LIMITS.bytes)) });
  let peak = 0;
  let warm: { bytes: number; records: number; refusedRecords: number; atMs: number } | undefined;
  let last = { bytes: 0, records: 0, refusedRecords: 0, atMs: 0 };
  const startedMs = performance.now();
  // Of the last records there are too few to fill both shards.
  while ((await stub.counts()).readings < readings * 0.95) {
    await pause();
    const { bytes, records, refusedRecords } = await stub.counts();
    last = { bytes, records, refusedRecords, atMs: performance.now() };
    if (last.atMs - startedMs > WARM_UP_SECONDS * 1000) warm ??= last;
    peak = Math.max(peak, usageOf(agent.pid).rssBytes);
  }
  await load;
  const { live } = await stub.counts();
  await agent.stop();
  await stub.stop();
  const from = warm ?? { bytes: 0, records: 0, refusedRecords: 0, atMs: startedMs };
  const perSecond = ((last.bytes - from.bytes) * 1000) / (last.atMs - from.atMs);
  const refused = last.refusedRecords - from.refusedRecords;
  return {
    peak,
    live,
    taken: perSecond / (SHARDS * SHARD_LIMITS.bytes),
    refused: refused / (refused + last.records - from.records),
  };
}

/** Seconds until nearly all of the backlog in `folder` is in the stub. */
async function seconds(folder: string, readings: number, plan: StubPlan): Promise<number> {
  const stub = await forkKinesisStub(plan);
  const startedMs = performance.now();
  const agent = await AgentProgram.start({ folder, endpoint: stub.endpoint });
  // The last ones, less than a record, wait for a flush.
  while ((await stub.counts()).readings < readings * 0.95) await pause();
  const took = (performance.now() - startedMs) / 1000;
  await agent.stop();
  await stub.stop();
  return took;
}

export const stream: Bench = {
  name: "stream",
  about:
    "a backlog of 5 million against two real shards while readings come in; and with a tenth of the records failing",
  async run(folder, { quick }) {
    const readings = quick ? 1_000_000 : 5_000_000;
    const filled = join(folder, "filled");
    mkdirSync(filled);
    await fill(join(filled, "buffer.db"), readings, GROUP);
    const copy = (name: string) => {
      cpSync(filled, join(folder, name), { recursive: true });
      return join(folder, name);
    };
    const shards = await beside(copy("shards"), readings);
    const without = await seconds(copy("without"), readings, {});
    const failing = await seconds(copy("failing"), readings, { failing: 0.1 });
    const live = `live readings in the stream beside the backlog, slowest of ${shards.live.readings}, flush_every ${FLUSH_SECONDS}s`;
    return [
      { what: live, value: shards.live.slowestMs / 1000, unit: "s", goal: 2 * FLUSH_SECONDS, better: "less" },
      { what: "memory meanwhile", value: shards.peak / 1e6, unit: "MB", goal: 150, better: "less" },
      { what: "of what two shards take", value: shards.taken * 100, unit: "%", goal: 90, better: "more" },
      { what: "refused by them", value: shards.refused * 100, unit: "%", goal: 5, better: "less" },
      {
        what: "speed with a tenth of the records throttled",
        value: (without / failing) * 100,
        unit: "%",
        goal: 80,
        better: "more",
      },
    ];
  },
};
