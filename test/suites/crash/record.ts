/** Runs the agent under strace and load, and keeps the trace. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { WireClient } from "../../helpers/mqtt-wire.ts";
import { plainNode } from "../../helpers/node.ts";
import { buildProgram, type Mutation } from "./mutants.ts";
import { type Op, readTrace, STRACE_ARGS } from "./trace.ts";

const dist = join(import.meta.dirname, "..", "..", "..", "dist");

export function straceMissing(): string | false {
  return spawnSync("strace", ["-V"]).status === 0 ? false : "strace is not installed";
}

export interface Recording {
  ops: Op[];
  /** Path of the buffer's file in the trace. */
  bufferFile: string;
  acceptedFile: string;
  readings: number;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

export function readingId(message: number): string {
  return `R${message}`;
}

/** Publishes `count` readings in bursts, each burst after the one before was acknowledged; message id = reading. */
async function publish(port: number, count: number): Promise<void> {
  const client = await WireClient.connected(port);
  let sent = 0;
  for (let burst = 0; sent < count; burst++) {
    for (let i = (burst * 7) % 40; i >= 0 && sent < count; i--) {
      sent++;
      const data = Math.round(Math.sin(sent) * 1e6) / 1e6;
      const reading = { id: readingId(sent), data, type: "Power Factor", date: new Date().toISOString() };
      client.publish(`windfarm/T0${burst % 7}/power-factor`, JSON.stringify(reading), sent);
    }
    await client.until(() => client.ids("puback").length === sent);
  }
  client.socket.destroy();
}

/** The agent tries its port before it begins, and hangs up on who comes then. */
async function reachable(port: number): Promise<void> {
  for (;;) {
    const client = await WireClient.connected(port).catch(() => undefined);
    client?.socket.destroy();
    if (client !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** `name` tells the builds apart. */
export async function record(
  folder: string,
  name: string,
  readings: number,
  mutations: readonly Mutation[] = [],
): Promise<Recording> {
  mkdirSync(folder, { recursive: true });
  const agent = await buildProgram("agent/main.ts", join(dist, `crash-${name}.js`), mutations);
  const launcher = await buildProgram(
    "test/suites/crash/launcher.ts",
    join(dist, `crash-${name}-launcher.js`),
  );
  const [mqttPort, statusPort, streamPort] = [await freePort(), await freePort(), await freePort()];
  const bufferFile = join(folder, "buffer.db");
  const acceptedFile = join(folder, "accepted.ndjson");
  const config = join(folder, "agent.config.yaml");
  const lines = [
    "version: 1",
    "gateway: { id: gw-crash }",
    `mqtt: { listen: "mqtt://127.0.0.1:${mqttPort}" }`,
    `buffer: { path: ${bufferFile}, ballast: 0B, commit_linger: 0ms }`,
    `kinesis: { region: us-east-1, endpoint: "http://127.0.0.1:${streamPort}", flush_every: 50ms }`,
    `status: { listen: "http://127.0.0.1:${statusPort}" }`,
    "log: { level: error }",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const trace = join(folder, "trace");
  const [env, command] = plainNode([launcher, agent, config, acceptedFile, String(streamPort)]);
  const args = ["-o", trace, ...STRACE_ARGS, env, ...command];
  const child = spawn("strace", args, { stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "exit");
  await reachable(mqttPort);
  await publish(mqttPort, readings);
  child.stdin.end();
  await ended;
  const wanted = (file: string) => file === bufferFile || file === `${bufferFile}-wal`;
  return { ops: readTrace(trace, wanted), bufferFile, acceptedFile, readings };
}
