/** The package on a small processor: held to 15 % of a core, about what a Raspberry Pi 3 gives. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pkg from "../../package.json" with { type: "json" };
import { CpuQuota } from "./cpu-quota.ts";
import { generateLoad } from "./generate.ts";
import { AgentProgram, type Runtime, usageOf } from "./programs.ts";
import type { Bench } from "./report.ts";

const PERCENT = 15;

export const small: Bench = {
  name: "small",
  about: `the package's agent held to ${PERCENT} % of a core, about a Raspberry Pi 3: start and readings a second`,
  async run(folder, { quick }) {
    const installed = unpacked(folder);
    if ("skipped" in installed) return installed;
    const quota = CpuQuota.make(PERCENT);
    if ("skipped" in quota) return quota;
    const plan = {
      folder,
      runtime: { ...installed, within: quota.command },
      env: { NODE_COMPILE_CACHE: join(folder, "compiled") },
    };
    try {
      // Fills the cache, as the first start after the installation does.
      await (await AgentProgram.start(plan)).stop();
      const starts = [];
      for (let count = quick ? 3 : 7; count > 0; count--) starts.push(await start(plan));
      const perSecond = await load(plan, quick ? 10 : 30);
      return [
        {
          what: "start to /readyz, compile cache warm",
          value: median(starts.map(({ seconds }) => seconds)),
          unit: "s",
          goal: 2.5,
          better: "less",
        },
        { what: "… CPU of it", value: median(starts.map(({ cpuSeconds }) => cpuSeconds)), unit: "s" },
        {
          what: "acknowledged readings/s, shipping off",
          value: perSecond,
          unit: "/s",
          goal: 20_000,
          better: "more",
        },
      ];
    } finally {
      quota.remove();
    }
  },
};

type Plan = Parameters<typeof AgentProgram.start>[0];

async function start(plan: Plan): Promise<{ seconds: number; cpuSeconds: number }> {
  const agent = await AgentProgram.start(plan);
  const seconds = (performance.now() - agent.startedMs) / 1000;
  const { cpuSeconds } = usageOf(agent.pid);
  await agent.stop();
  return { seconds, cpuSeconds };
}

async function load(plan: Plan, seconds: number): Promise<number> {
  const agent = await AgentProgram.start(plan);
  const load = { port: agent.port, connections: 8, window: 1000, bytes: 150 };
  // What is compiled with the first readings takes longer here than anywhere.
  await generateLoad({ ...load, seconds: 10 });
  const result = await generateLoad({ ...load, seconds });
  await agent.stop();
  return result.acknowledged / result.seconds;
}

/** The agent out of the package that `npm run deb` wrote, where it is of this build. */
function unpacked(folder: string): Runtime | { skipped: string } {
  const arch = { x64: "amd64", arm64: "arm64" }[process.arch as string];
  if (arch === undefined) return { skipped: `there is no package with a Node.js inside for ${process.arch}` };
  const deb = join(import.meta.dirname, `windfarm_${pkg.version}_${arch}.deb`);
  if (!existsSync(deb)) return { skipped: `${deb} is not there; npm run deb makes it` };
  const root = join(folder, "installed");
  execFileSync("dpkg-deb", ["--extract", deb, root]);
  const [node, script] = ["node", "windfarm.js"].map((name) =>
    join(root, "usr", "lib", "windfarm", name),
  ) as [string, string];
  const same = readFileSync(script).equals(readFileSync(join(import.meta.dirname, "windfarm.js")));
  return same ? { node, script } : { skipped: `${deb} is of another build; npm run deb makes it anew` };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
