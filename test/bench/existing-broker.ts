/** Readings a second from mosquitto through the agent, acknowledged to it after the commit. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePorts } from "../../deploy/local/ports.ts";
import { generateLoad } from "./generate.ts";
import { AgentProgram } from "./programs.ts";
import type { Bench } from "./report.ts";

async function startMosquitto(folder: string, port: number): Promise<ChildProcess> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "mosquitto.conf");
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "max_queued_messages 0",
    "max_inflight_messages 1000",
    "set_tcp_nodelay true",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const child = spawn("mosquitto", ["-c", config], { stdio: "ignore" });
  while (!(await reachable(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  return child;
}

async function reachable(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const [event] = await Promise.race([
    once(socket, "connect").then(() => ["up"]),
    once(socket, "error"),
  ]).catch(() => [""]);
  socket.destroy();
  return event === "up";
}

export const existingBroker: Bench = {
  name: "existing-broker",
  about: "readings a second from mosquitto, acknowledged to it after the commit",
  async run(folder, { quick }) {
    if (spawnSync("mosquitto", ["-h"]).error !== undefined) return { skipped: "mosquitto is not installed" };
    const [port = 0] = await freePorts(1);
    const mosquitto = await startMosquitto(join(folder, "mosquitto"), port);
    const agent = await AgentProgram.start({ folder, connect: `mqtt://127.0.0.1:${port}` });
    const seconds = quick ? 3 : 8;
    const before = (await agent.status()).received;
    const started = performance.now();
    await generateLoad({ port, connections: 4, window: 500, bytes: 150, seconds });
    const during = (await agent.status()).received - before;
    const elapsed = (performance.now() - started) / 1000;
    await agent.stop();
    mosquitto.kill();
    return [
      {
        what: "through mosquitto, acknowledged after commit",
        value: during / elapsed,
        unit: "/s",
        goal: 30_000,
        better: "more",
      },
    ];
  },
};
