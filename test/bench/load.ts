/**
 * The load generator, a process of its own on raw sockets: it writes publishes made beforehand and counts the bytes of
 * the acknowledgements, so that it is never the bottleneck.
 *
 *   node dist/bench-load.js '{"port":1883,"connections":8,"window":1000,"seconds":10,"bytes":150}'
 *
 * Prints one JSON line: acknowledged readings, seconds, the generator's own CPU seconds, and with `perSecond` (paced,
 * one reading at a time over the connections in turn) the latencies from write to PUBACK in milliseconds.
 */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import { SENSOR_TYPES } from "../../agent/contract/sensors.ts";

export interface LoadPlan {
  port: number;
  connections: number;
  /** Publishes of one connection without PUBACK at most. */
  window: number;
  seconds: number;
  /** Payload, bytes, filled up with random letters, which no compression makes smaller; 0 for readings as the simulators send them. */
  bytes: number;
  /** Readings a second over all connections; as many as possible where absent. */
  perSecond?: number;
  /** Paced, all connections send at the same moment, as a simulated turbine's sensors do, instead of in turn. */
  together?: boolean;
}

export interface LoadResult {
  acknowledged: number;
  seconds: number;
  cpuSeconds: number;
  latencyMs?: { p50: number; p99: number; max: number };
}

const PUBACK_BYTES = 4;
const SLUGS = ["power-factor", "temperature-battery", "hydraulic-pressure"];

/** A reading of exactly `bytes` bytes, with an id no other has. */
function payload(kind: number, bytes: number): string {
  const reading = { id: "", data: 0, type: SENSOR_TYPES[kind], date: new Date().toISOString() };
  reading.data = Number((Math.random() * 100).toFixed(3));
  const room = bytes - JSON.stringify(reading).length;
  let id = "";
  while (id.length < room) id += randomUUID();
  return JSON.stringify({ ...reading, id: id.slice(0, Math.max(8, room)) });
}

const ID_PREFIXES = ["PP_", "TB_", "HP_"];
const NOMINAL = [1, 23, 76];

/** A reading as a simulated sensor sends its `index`-th. */
function simulated(kind: number, index: number): string {
  const data = Number(((NOMINAL[kind] ?? 1) * (1 + (Math.random() - 0.5) / 50)).toFixed(3));
  const date = new Date(Date.now() + index * 1000 + Math.floor(Math.random() * 50)).toISOString();
  return JSON.stringify({ id: `${ID_PREFIXES[kind]}${index}`, data, type: SENSOR_TYPES[kind], date });
}

/** One connection's publishes: packets `1…window`, written again and again. */
function publishes(connection: number, { window, bytes }: LoadPlan): Buffer[] {
  return Array.from({ length: window }, (_, index) => {
    const kind = (connection + index) % 3;
    const topic = `windfarm/T${String(connection).padStart(2, "0")}/${SLUGS[kind]}`;
    return generate({
      cmd: "publish",
      topic,
      payload: bytes === 0 ? simulated(kind, index) : payload(kind, bytes),
      qos: 1,
      dup: false,
      retain: false,
      messageId: index + 1,
    });
  });
}

async function open(index: number, port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  socket.write(
    generate({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId: `load-${process.pid}-${index}`,
      keepalive: 0,
    }),
  );
  const [connack] = (await once(socket, "data")) as [Buffer];
  if (connack[0] !== 0x20 || connack[3] !== 0)
    throw new Error(`the broker refused the connection: ${connack.toString("hex")}`);
  return socket;
}

/** Keeps every window full until time is up; what is acknowledged within the time counts. */
async function flood(plan: LoadPlan): Promise<{ acknowledged: number; seconds: number }> {
  const sockets = await Promise.all(
    Array.from({ length: plan.connections }, (_, index) => open(index, plan.port)),
  );
  const packets = sockets.map((_, index) => publishes(index, plan));
  const halves = packets.map((all) => {
    const middle = Math.floor(all.length / 2);
    return [Buffer.concat(all.slice(0, middle)), Buffer.concat(all.slice(middle))] as const;
  });
  let acknowledged = 0;
  let running = true;
  const started = performance.now();
  for (const [index, socket] of sockets.entries()) {
    const [first, second] = halves[index] as readonly [Buffer, Buffer];
    const half = Math.floor(plan.window / 2);
    const sizes = [half, plan.window - half];
    let open = 0;
    let turn = 0;
    const next = () => {
      socket.write(turn === 0 ? first : second);
      open += sizes[turn] ?? 0;
      turn = 1 - turn;
    };
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      const acks = Math.floor(bytes / PUBACK_BYTES);
      bytes -= acks * PUBACK_BYTES;
      acknowledged += acks;
      open -= acks;
      while (running && open <= plan.window - (sizes[turn] ?? 0)) next();
    });
    next();
    next();
  }
  await new Promise((resolve) => setTimeout(resolve, plan.seconds * 1000));
  running = false;
  const result = { acknowledged, seconds: (performance.now() - started) / 1000 };
  for (const socket of sockets) socket.destroy();
  return result;
}

/** One reading after the other at an even pace, or one of each connection; the time from its write to its PUBACK. */
async function pace(plan: LoadPlan, perSecond: number): Promise<LoadResult> {
  const sockets = await Promise.all(
    Array.from({ length: plan.connections }, (_, index) => open(index, plan.port)),
  );
  const packets = sockets.map((_, index) => publishes(index, plan));
  const sent: number[][] = sockets.map(() => []);
  const latencies: number[] = [];
  for (const [index, socket] of sockets.entries()) {
    socket.on("data", (chunk) => {
      const now = performance.now();
      for (let acks = chunk.length / PUBACK_BYTES; acks > 0; acks--)
        latencies.push(now - (sent[index]?.shift() ?? now));
    });
  }
  const total = plan.seconds * perSecond;
  const step = plan.together === true ? sockets.length : 1;
  const started = performance.now();
  for (let count = 0; count < total; ) {
    const steps = (((performance.now() - started) / 1000) * perSecond) / step;
    const due = Math.min(total, Math.ceil(steps) * step);
    for (; count < due; count++) {
      const index = count % sockets.length;
      const all = packets[index] as Buffer[];
      sent[index]?.push(performance.now());
      sockets[index]?.write(all[Math.floor(count / sockets.length) % all.length] as Buffer);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (latencies.length < total) await new Promise((resolve) => setTimeout(resolve, 5));
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.destroy();
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    acknowledged: total,
    seconds,
    cpuSeconds: 0,
    latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}

const plan = JSON.parse(process.argv[2] ?? "{}") as LoadPlan;
const result = plan.perSecond === undefined ? await flood(plan) : await pace(plan, plan.perSecond);
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ ...result, cpuSeconds: (user + system) / 1e6 }));
