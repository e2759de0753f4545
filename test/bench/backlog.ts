/** A gateway that was offline for days: it starts with millions of readings in its buffer, then ships them. */

import { join } from "node:path";
import pino from "pino";
import { openBuffer } from "../../agent/buffer/open.ts";
import type { Reading } from "../../agent/contract/reading.ts";
import { encodeHead } from "../../agent/contract/shipped.ts";
import { toDigits } from "../../simulators/sensor.ts";
import { forkKinesisStub } from "../helpers/kinesis-stub-process.ts";
import { AgentProgram, freePort, usageOf } from "./programs.ts";
import type { Bench } from "./report.ts";

const GROUP = 1000;
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
async function fill(path: string, readings: number): Promise<void> {
  const settings = {
    gateway: "gw-01",
    maxBytes: 20 * 2 ** 30,
    onFull: "refuse",
    lingerMs: 0,
    rejectsMaxBytes: 1e6,
    ballastBytes: 0,
  } as const;
  const buffer = openBuffer({ path, ...settings }, { now: Date.now, log: pino({ level: "error" }) });
  for (let done = 0; done < readings; done += GROUP) {
    await new Promise<void>((resolve, reject) => {
      for (let i = 0; i < GROUP; i++) {
        const reading = readingOf(done + i);
        const last = i === GROUP - 1;
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

export const backlog: Bench = {
  name: "backlog",
  about: "start with 10 million readings buffered, then ship them to a stub",
  async run(folder, { quick }) {
    const readings = quick ? 1_000_000 : 10_000_000;
    await fill(join(folder, "buffer.db"), readings);
    const stub = await forkKinesisStub();

    const started = performance.now();
    const idle = await AgentProgram.start({ folder, endpoint: `http://127.0.0.1:${await freePort()}` });
    const startSeconds = (performance.now() - started) / 1000;
    await idle.stop();

    const agent = await AgentProgram.start({ folder, endpoint: stub.endpoint });
    let peak = 0;
    let status = await agent.status();
    for (; status.buffered > 0; status = await agent.status()) {
      peak = Math.max(peak, usageOf(agent.pid).rssBytes);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const { cpuSeconds } = usageOf(agent.pid);
    const { records, bytes, putUnits } = await stub.counts();
    await agent.stop();
    await stub.stop();
    return [
      {
        what: `start with ${readings / 1e6} million readings buffered, to /readyz`,
        value: startSeconds,
        unit: "s",
        goal: 1,
        better: "less",
      },
      {
        what: "shipped per CPU second, start included",
        value: readings / cpuSeconds,
        unit: "/s",
        goal: 400_000,
        better: "more",
      },
      { what: "memory while shipping a backlog", value: peak / 1e6, unit: "MB", goal: 200, better: "less" },
      {
        what: "PUT payload units per million readings",
        value: (putUnits / readings) * 1e6,
        unit: "",
        goal: 8000,
        better: "less",
      },
      { what: "bytes a record", value: bytes / records, unit: "B" },
    ];
  },
};
