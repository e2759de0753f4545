/** Runs the agent under strace and load, and keeps the trace. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
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

/** The port that the agent says it listens at; rejects when it ends without saying so. */
async function mqttPort(log: Readable): Promise<number> {
  for await (const line of createInterface(log)) {
    const [, port] = /"listen":"mqtt:[^"]*:(\d+)"/.exec(line) ?? [];
    if (port !== undefined) return Number(port);
  }
  throw new Error("the agent ended before it listened");
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
  const bufferFile = join(folder, "buffer.db");
  const acceptedFile = join(folder, "accepted.ndjson");
  const config = join(folder, "agent.config.yaml");
  const lines = [
    "version: 1",
    "gateway: { id: gw-crash }",
    "mqtt: { listen: mqtt://127.0.0.1:0 }",
    `buffer: { path: ${bufferFile}, ballast: 0B, commit_linger: 0ms }`,
    `kinesis: { region: us-east-1, endpoint: "http://127.0.0.1:\${STREAM_PORT}", flush_every: 50ms }`,
    "status: { listen: http://127.0.0.1:0 }",
    "log: { level: info }",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const trace = join(folder, "trace");
  const [env, command] = plainNode([launcher, agent, config, acceptedFile]);
  const args = ["-o", trace, ...STRACE_ARGS, env, ...command];
  const child = spawn("strace", args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const port = await mqttPort(child.stdout);
  child.stdout.resume();
  await publish(port, readings);
  child.stdin.end();
  await ended;
  const wanted = (file: string) => file === bufferFile || file === `${bufferFile}-wal`;
  return { ops: readTrace(trace, wanted), bufferFile, acceptedFile, readings };
}
