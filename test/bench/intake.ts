/** Acknowledged readings a second, against a bare broker that stores nothing, in turns within one run. */

import { join } from "node:path";
import { generateLoad } from "./generate.ts";
import { AgentProgram, Program, usageOf } from "./programs.ts";
import type { Bench, Figure } from "./report.ts";

const LOAD = { connections: 8, window: 1000, bytes: 150 };

async function bare(seconds: number): Promise<number> {
  const program = new Program("bench-bare-aedes.js");
  const port = Number(await program.line());
  const result = await generateLoad({ ...LOAD, port, seconds });
  await program.stop();
  return result.acknowledged / result.seconds;
}

interface Measured {
  perSecond: number;
  perCpuSecond: number;
  rssBytes: number;
  bytesPerReading: number;
  readingsPerCommit: number;
}

async function agent(folder: string, seconds: number): Promise<Measured> {
  const program = await AgentProgram.start({ folder });
  // The first second compiles.
  await generateLoad({ ...LOAD, port: program.port, seconds: 2 });
  const before = { ...usageOf(program.pid), ...(await program.status()) };
  const result = await generateLoad({ ...LOAD, port: program.port, seconds });
  const after = { ...usageOf(program.pid), ...(await program.status()) };
  await program.stop();
  const received = after.received - before.received;
  return {
    perSecond: result.acknowledged / result.seconds,
    perCpuSecond: received / (after.cpuSeconds - before.cpuSeconds),
    rssBytes: after.rssBytes,
    bytesPerReading: (after.writtenBytes - before.writtenBytes) / received,
    readingsPerCommit: received / (after.buffer.commits - before.buffer.commits),
  };
}

export const intake: Bench = {
  name: "intake",
  about: "acknowledged QoS 1 readings a second: fsync before PUBACK, parsed, validated, re-encoded",
  async run(folder, { quick }) {
    const rounds = quick ? 1 : 3;
    const seconds = quick ? 3 : 8;
    const yard: number[] = [];
    const ours: Measured[] = [];
    for (let round = 0; round < rounds; round++) {
      yard.push(await bare(seconds));
      ours.push(await agent(join(folder, String(round)), seconds));
    }
    const best = ours.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
    const figures: Figure[] = [
      { what: "acknowledged readings/s", value: best.perSecond, unit: "/s", goal: 80_000, better: "more" },
      {
        what: "… of a bare aedes that stores nothing",
        value: best.perSecond / Math.max(...yard),
        unit: "×",
        goal: 0.5,
        better: "more",
      },
      { what: "… per CPU second of the agent", value: best.perCpuSecond, unit: "/s" },
      { what: "readings a commit", value: best.readingsPerCommit, unit: "" },
      {
        what: "bytes written to disk a reading",
        value: best.bytesPerReading,
        unit: "B",
        goal: 350,
        better: "less",
      },
      { what: "memory under full load", value: best.rssBytes / 1e6, unit: "MB", goal: 150, better: "less" },
    ];
    return figures;
  },
};
