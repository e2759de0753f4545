/** A gateway that was offline for days: it starts with millions of readings in its buffer, then ships them. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { openBuffer } from "../../agent/buffer/open.ts";
import type { Reading } from "../../agent/contract/reading.ts";
import { encodeHead } from "../../agent/contract/shipped.ts";
import { toDigits } from "../../simulators/sensor.ts";
import { forkKinesisStub } from "../helpers/kinesis-stub-process.ts";
import { AgentProgram, usageOf } from "./programs.ts";
import type { Bench, Figure } from "./report.ts";

/** Readings of a commit at full rate; and at nine a second with the default linger, as three simulated turbines come in. */
const FULL_GROUP = 1000;
const SMALL_GROUP = 6;
/** A farm behind one gateway; every sensor counts its own readings, as ours and the original producers do. */
const TURBINES = 100;
const SENSORS = [
  { idPrefix: "PP_", type: "Power Factor", about: 0.95, digits: 4 },
  { idPrefix: "PT_", type: "Temperature Battery", about: 23, digits: 2 },
  { idPrefix: "PPH_", type: "Hydraulic Pressure", about: 76, digits: 2 },
] as const;
const FIRST_MS = Date.UTC(2026, 10, 22);

function readingOf(index: number): Reading {
  const turbine = `T${String(index % TURBINES).padStart(2, "0")}`;
  const { idPrefix, type, about, digits } =
    SENSORS[Math.floor(index / TURBINES) % SENSORS.length] ?? SENSORS[0];
  const id = `${idPrefix}${Math.floor(index / (TURBINES * SENSORS.length))}`;
  const data = toDigits(about * (0.95 + 0.1 * Math.random()), digits);
  return { id, data, type, date: new Date(FIRST_MS + index).toISOString(), turbine };
}

/** Fills a buffer through its own interface, as an outage would. */
export async function fill(path: string, readings: number, group: number): Promise<void> {
  const settings = {
    gateway: "gw-01",
    maxBytes: 20 * 2 ** 30,
    onFull: "refuse",
    lingerMs: 0,
    rejectsMaxBytes: 1e6,
    ballastBytes: 0,
  } as const;
  const buffer = openBuffer({ path, ...settings }, { now: Date.now, log: pino({ level: "error" }) });
  for (let done = 0; done < readings; done += group) {
    await new Promise<void>((resolve, reject) => {
      for (let i = 0; i < group; i++) {
        const reading = readingOf(done + i);
        const last = i === group - 1;
        buffer.append(Buffer.from(encodeHead(reading)), reading.turbine, Date.now(), 0, (error) => {
          if (error) reject(error);
          else if (last) resolve();
        });
      }
      buffer.flush();
    });
  }
  await buffer.close();
}

/** Ships what lies in `folder` to a stub; what it took. */
export async function drain(folder: string, readings: number) {
  const stub = await forkKinesisStub();
  const agent = await AgentProgram.start({ folder, endpoint: stub.endpoint });
  let peak = 0;
  for (let left = readings; left > 0; left = (await agent.status()).buffered) {
    peak = Math.max(peak, usageOf(agent.pid).rssBytes);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { cpuSeconds } = usageOf(agent.pid);
  const counts = await stub.counts();
  await agent.stop();
  await stub.stop();
  return { ...counts, cpuSeconds, peak, unitsPerMillion: (counts.putUnits / readings) * 1e6 };
}

export const backlog: Bench = {
  name: "backlog",
  about:
    "start with 10 million readings buffered, then ship them to a stub; and a million written at nine a second",
  async run(folder, { quick }) {
    const readings = quick ? 1_000_000 : 10_000_000;
    const few = quick ? 200_000 : 1_000_000;
    const [full, trickle] = [join(folder, "full"), join(folder, "trickle")];
    for (const each of [full, trickle]) mkdirSync(each);
    await fill(join(full, "buffer.db"), readings, FULL_GROUP);
    await fill(join(trickle, "buffer.db"), few, SMALL_GROUP);

    const started = performance.now();
    const idle = await AgentProgram.start({ folder: full });
    const startSeconds = (performance.now() - started) / 1000;
    await idle.stop();

    const fast = await drain(full, readings);
    const slow = await drain(trickle, few);
    return [
      {
        what: `start with ${readings / 1e6} million readings buffered, to /readyz`,
        value: startSeconds,
        unit: "s",
        goal: 1,
        better: "less",
      },
      perCpuSecond("written at full rate", readings / fast.cpuSeconds, 1_000_000),
      perCpuSecond("written at 9/s", few / slow.cpuSeconds, 250_000),
      {
        what: "memory while shipping a backlog",
        value: Math.max(fast.peak, slow.peak) / 1e6,
        unit: "MB",
        goal: 150,
        better: "less",
      },
      putUnits("written at full rate", fast.unitsPerMillion),
      putUnits("written at 9/s", slow.unitsPerMillion),
      { what: "bytes a record", value: fast.bytes / fast.records, unit: "B" },
      { what: "bytes a reading, written at full rate", value: fast.bytes / readings, unit: "B" },
      { what: "bytes a reading, written at 9/s", value: slow.bytes / few, unit: "B" },
    ];
  },
};

function perCpuSecond(what: string, value: number, goal: number): Figure {
  return { what: `shipped per CPU second, ${what}, start included`, value, unit: "/s", goal, better: "more" };
}

function putUnits(what: string, value: number): Figure {
  return { what: `PUT payload units per million, ${what}`, value, unit: "", goal: 1000, better: "less" };
}
