/** What one commit costs the flash: synchronisations, counted by strace, and bytes, at three rates. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { generateLoad } from "./generate.ts";
import { AgentProgram, usageOf } from "./programs.ts";
import type { Bench, Figure } from "./report.ts";

interface Rate {
  name: string;
  /** Readings a second; as many as possible where absent. */
  perSecond?: number;
}

const RATES: readonly Rate[] = [
  { name: "3 readings/s", perSecond: 3 },
  { name: "1 000 readings/s", perSecond: 1000 },
  { name: "full rate" },
];

/** Counts the fsync and fdatasync calls of a process while `work` runs. */
async function countSyncs(pid: number, file: string, work: () => Promise<void>): Promise<number> {
  const args = ["-f", "-c", "-e", "trace=fsync,fdatasync", "-o", file, "-p", String(pid)];
  const strace = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
  // Says "Process … attached" once it counts.
  await once(createInterface({ input: strace.stderr }), "line");
  await work();
  strace.kill("SIGINT");
  await once(strace, "exit");
  const rows = readFileSync(file, "utf8").matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*\bf(?:data)?sync$/gm);
  return [...rows].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function measure(folder: string, { name, perSecond }: Rate, seconds: number): Promise<Figure[]> {
  const agent = await AgentProgram.start({ folder });
  const pace = perSecond === undefined ? {} : { perSecond };
  const plan = { port: agent.port, connections: 3, window: 1000, bytes: 150, ...pace };
  await generateLoad({ ...plan, seconds: 2 });
  const before = { ...usageOf(agent.pid), ...(await agent.status()) };
  const syncs = await countSyncs(agent.pid, join(folder, "syncs"), async () => {
    await generateLoad({ ...plan, seconds });
  });
  const after = { ...usageOf(agent.pid), ...(await agent.status()) };
  await agent.stop();
  const commits = after.buffer.commits - before.buffer.commits;
  const received = after.received - before.received;
  const written = (after.writtenBytes - before.writtenBytes) / commits / 1000;
  return [
    { what: `readings a commit, ${name}`, value: received / commits, unit: "" },
    { what: `fsyncs a commit, ${name}`, value: syncs / commits, unit: "" },
    { what: `written a commit, ${name}`, value: written, unit: "kB" },
  ];
}

export const commitCost: Bench = {
  name: "commit-cost",
  about: "synchronisations and bytes of one commit, at three rates",
  async run(folder, { quick }) {
    if (spawnSync("strace", ["-V"]).error !== undefined) return { skipped: "strace is not installed" };
    const figures: Figure[] = [];
    for (const [index, rate] of RATES.entries())
      figures.push(...(await measure(join(folder, String(index)), rate, quick ? 3 : 15)));
    return figures;
  },
};
