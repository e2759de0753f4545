/**
 * From writing a PUBLISH to reading its PUBACK, at a steady thousand readings a second, beside what the disk takes for
 * the synchronisation alone: its slowest hundredth is no better than the disk's.
 */

import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { generateLoad } from "./generate.ts";
import { AgentProgram } from "./programs.ts";
import type { Bench } from "./report.ts";

const SYNCS = 1000;
const PAGE = Buffer.alloc(4096, 1);

/** ms a page and its fsync take, sorted. */
function bareSyncs(file: string): number[] {
  const descriptor = openSync(file, "w");
  const took = Array.from({ length: SYNCS }, () => {
    const started = performance.now();
    writeSync(descriptor, PAGE);
    fsyncSync(descriptor);
    return performance.now() - started;
  });
  closeSync(descriptor);
  return took.sort((a, b) => a - b);
}

export const latency: Bench = {
  name: "latency",
  about: "PUBACK latency at 1 000 readings a second",
  async run(folder, { quick }) {
    const agent = await AgentProgram.start({ folder, linger: "0ms" });
    const plan = { port: agent.port, connections: 4, window: 1000, bytes: 150, perSecond: 1000 };
    // The first request loads the AWS client, once, for a tenth of a second, some seconds after the first reading.
    await generateLoad({ ...plan, seconds: quick ? 2 : 8 });
    const { latencyMs } = await generateLoad({ ...plan, seconds: quick ? 3 : 10 });
    await agent.stop();
    const syncs = bareSyncs(join(folder, "page"));
    return [
      {
        what: "PUBACK latency at 1 000/s, p50",
        value: latencyMs?.p50 ?? Number.NaN,
        unit: "ms",
        goal: 1,
        better: "less",
      },
      {
        what: "PUBACK latency at 1 000/s, p99",
        value: latencyMs?.p99 ?? Number.NaN,
        unit: "ms",
        goal: 15,
        better: "less",
      },
      { what: "a bare fsync of this disk, p50", value: syncs[SYNCS * 0.5] ?? Number.NaN, unit: "ms" },
      { what: "a bare fsync of this disk, p99", value: syncs[SYNCS * 0.99] ?? Number.NaN, unit: "ms" },
    ];
  },
};
