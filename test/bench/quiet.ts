/** What the agent costs when little happens: three readings a second, as on a real turbine. */

import { forkKinesisStub } from "../helpers/kinesis-stub-process.ts";
import { generateLoad } from "./generate.ts";
import { AgentProgram, usageOf } from "./programs.ts";
import type { Bench } from "./report.ts";

export const quiet: Bench = {
  name: "quiet",
  about: "CPU and memory at 3 readings a second, shipping to a stub",
  async run(folder, { quick }) {
    const stub = await forkKinesisStub();
    const agent = await AgentProgram.start({ folder, endpoint: stub.endpoint });
    const plan = { port: agent.port, connections: 3, window: 100, bytes: 100, perSecond: 3 };
    // A service runs for months: its start, and what is compiled with the first readings, are over by then.
    await generateLoad({ ...plan, seconds: quick ? 5 : 30 });
    const before = usageOf(agent.pid);
    const { seconds } = await generateLoad({ ...plan, seconds: quick ? 10 : 60 });
    const after = usageOf(agent.pid);
    await agent.stop();
    await stub.stop();
    return [
      {
        what: "CPU at 3 readings/s",
        value: ((after.cpuSeconds - before.cpuSeconds) / seconds) * 100,
        unit: "%",
        goal: 0.7,
        better: "less",
      },
      { what: "memory at 3 readings/s", value: after.rssBytes / 1e6, unit: "MB", goal: 80, better: "less" },
    ];
  },
};
