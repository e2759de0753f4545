/** From writing a PUBLISH to reading its PUBACK, at a steady thousand readings a second. */

import { generateLoad } from "./generate.ts";
import { AgentProgram } from "./programs.ts";
import type { Bench } from "./report.ts";

export const latency: Bench = {
  name: "latency",
  about: "PUBACK latency at 1 000 readings a second",
  async run(folder, { quick }) {
    const agent = await AgentProgram.start({ folder });
    const plan = { port: agent.port, connections: 4, window: 1000, bytes: 150, perSecond: 1000 };
    await generateLoad({ ...plan, seconds: 2 });
    const { latencyMs } = await generateLoad({ ...plan, seconds: quick ? 3 : 10 });
    await agent.stop();
    return [
      {
        what: "PUBACK latency at 1 000/s, p50",
        value: latencyMs?.p50 ?? Number.NaN,
        unit: "ms",
        goal: 2,
        better: "less",
      },
      {
        what: "PUBACK latency at 1 000/s, p99",
        value: latencyMs?.p99 ?? Number.NaN,
        unit: "ms",
        goal: 15,
        better: "less",
      },
    ];
  },
};
