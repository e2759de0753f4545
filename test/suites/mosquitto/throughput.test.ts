/** How fast readings come from mosquitto to the disk. Everything runs at once on this machine: broker, load and agent. */

import t from "tap";
import { Agent, cpuSecondsOf } from "./agent.ts";
import { flood } from "./flood.ts";
import { findMosquitto, Mosquitto, RECOMMENDED } from "./mosquitto.ts";

const found = findMosquitto();
const skip = "reason" in found ? found.reason : false;
const path = "path" in found ? found.path : "";
const READINGS = 200_000;

const cases = [
  { name: "with its default settings", lines: [], published: READINGS },
  { name: "with the recommended settings", lines: RECOMMENDED, published: READINGS },
];

for (const { name, lines, published } of cases) {
  t.test(`readings pass through a mosquitto ${name}`, { skip, timeout: 120_000 }, async (t) => {
    const folder = t.testdir();
    // The default of 1000 queued messages would lose readings whenever the agent is a moment behind.
    const needed = [
      "max_queued_messages 0",
      ...lines.filter((line) => !line.startsWith("max_queued_messages")),
    ];
    const broker = await Mosquitto.start(path, folder, needed);
    const agent = new Agent(folder, broker.port);
    await agent.start();
    const before = {
      agent: agent.usage().cpuSeconds,
      broker: cpuSecondsOf(broker.pid),
      at: performance.now(),
    };
    const load = await flood(broker.port, 0, published);
    await load.done;
    await agent.hasReceived(published);
    const seconds = (performance.now() - before.at) / 1000;
    const { cpuSeconds, rssMb } = agent.usage();
    const agentCpu = cpuSeconds - before.agent;
    t.comment(
      `live: ${Math.round(published / seconds)} readings/s; per core: agent ${Math.round(published / agentCpu)}/s, ` +
        `mosquitto ${Math.round(published / (cpuSecondsOf(broker.pid) - before.broker))}/s; agent ${Math.round(rssMb)} MB`,
    );
    t.ok(published / agentCpu > 30_000, `the agent takes more than 30 000 readings per second of one core`);
    await agent.kill("SIGTERM");
    await broker.stop();
  });

  t.test(`a backlog in a mosquitto ${name} is drained`, { skip, timeout: 120_000 }, async (t) => {
    const folder = t.testdir();
    const needed = [
      "max_queued_messages 0",
      ...lines.filter((line) => !line.startsWith("max_queued_messages")),
    ];
    const broker = await Mosquitto.start(path, folder, needed);
    const agent = new Agent(folder, broker.port);
    await agent.start();
    await agent.kill("SIGTERM");
    await (await flood(broker.port, 0, published)).done;
    await agent.start();
    const from = await agent.received();
    const before = performance.now();
    await agent.hasReceived(published);
    const seconds = (performance.now() - before) / 1000;
    t.comment(`drained: ${Math.round((published - from) / seconds)} readings/s`);
    await agent.kill("SIGTERM");
    const counts = await agent.buffered();
    t.equal(counts.size, published, "every reading is on disk");
    await broker.stop();
  });
}
