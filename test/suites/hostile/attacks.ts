/** What a hostile, or broken, client does to a broker. Each returns once it is done or, with `until`, when told. */

import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { generate } from "mqtt-packet";
import type { Random } from "../../../simulators/random.ts";
import { mutated } from "./mutate.ts";

const BURST = 500;
const PING = Buffer.from([0xc0, 0]);
const PINGRESP = Buffer.from([0xd0, 0]);
/** A packet that is not answered by then waits for bytes that will not come. On a busy machine, only a new connection early. */
const ANSWER_MS = 100;

export const hello = (clientId: string, will?: Buffer): Buffer =>
  generate({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    keepalive: 0,
    clientId,
    ...(will === undefined
      ? {}
      : { will: { topic: "windfarm/T66/will", payload: will, qos: 1 as const, retain: false } }),
  });

export const reading = (topic: string, messageId: number, payload: string | Buffer): Buffer =>
  generate({ cmd: "publish", topic, payload, qos: 1, messageId, dup: false, retain: false });

export async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  await first(socket, "connect", "close");
  return socket;
}

async function enter(port: number, clientId: string, will?: Buffer): Promise<Socket> {
  const socket = await open(port);
  socket.write(hello(clientId, will));
  await first(socket, "data", "close");
  return socket;
}

/** Resolves at the first of the events; errors are told by the close that follows them. */
function first(socket: Socket, ...events: ("connect" | "close" | "data" | "drain")[]): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    const happened = () => {
      for (const event of events) socket.off(event, happened);
      resolve();
    };
    for (const event of events) socket.on(event, happened);
  });
}

const gone = async (socket: Socket) => {
  await first(socket, "close");
};

/** `count` copies of a reading as fast as they are taken; no attack, as long as it reads its acknowledgements. */
export async function load(port: number, name: string, payload: string, count: number): Promise<void> {
  const socket = await enter(port, name);
  socket.resume();
  const bytes = burst(payload);
  for (let sent = 0; sent < count && !socket.destroyed; sent += BURST) {
    if (!socket.write(bytes)) await first(socket, "drain", "close");
  }
  socket.end(Buffer.from([0xe0, 0]));
  await gone(socket);
}

/** Some hundred readings in one piece. */
export function burst(payload: string): Buffer {
  return Buffer.concat(
    Array.from({ length: BURST }, (_, index) => reading("windfarm/T66/power-factor", index + 1, payload)),
  );
}

/** Announces 256 MiB and sends as much as is taken. */
export async function giant(port: number, afterConnect: boolean): Promise<void> {
  const socket = afterConnect ? await enter(port, "giant") : await open(port);
  socket.resume();
  socket.write(Buffer.from([afterConnect ? 0x30 : 0x10, 0xff, 0xff, 0xff, 0x7f]));
  const much = Buffer.alloc(256 * 1024, 0x61);
  for (let i = 0; i < 1024 && !socket.destroyed; i++) {
    if (!socket.write(much)) await first(socket, "drain", "close");
  }
  await gone(socket);
}

/** Connects and says nothing. */
export async function idle(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) sockets.push(await open(port));
  return sockets;
}

/** One byte a second: some of a CONNECT, some of a large reading that has mostly come. */
export async function dribble(port: number, count: number, signal: AbortSignal): Promise<void> {
  const large = reading("windfarm/T66/power-factor", 1, Buffer.alloc(60 * 1024, 0x20));
  const slow: { socket: Socket; bytes: Buffer; at: number }[] = [];
  for (let i = 0; i < count; i++) {
    slow.push({ socket: await open(port), bytes: hello(`slow-connect-${i}`), at: 0 });
    const inside = await enter(port, `slow-reading-${i}`);
    inside.write(large.subarray(0, 55 * 1024));
    slow.push({ socket: inside, bytes: large, at: 55 * 1024 });
  }
  while (!signal.aborted) {
    for (const each of slow) each.socket.write(each.bytes.subarray(each.at, ++each.at));
    await pause(1000, undefined, { signal }).catch(() => {});
  }
  for (const { socket } of slow) socket.destroy();
}

/** Sends without ever reading an answer, as much as is taken, until closed or told. */
export async function deaf(port: number, name: string, bytes: Buffer, signal: AbortSignal): Promise<number> {
  const socket = await enter(port, name);
  socket.pause();
  let sent = 0;
  signal.addEventListener("abort", () => socket.destroy());
  while (!signal.aborted && !socket.destroyed) {
    sent += bytes.length;
    const took = socket.write(bytes);
    await (took ? pause(1) : first(socket, "drain", "close"));
  }
  socket.destroy();
  return sent;
}

/** Sends mutated packets one by one, each looked at before the next. Gives the connections it took. */
export async function mutants(port: number, count: number, random: Random): Promise<number> {
  let left = count;
  let connections = 0;
  while (left > 0) {
    const socket = await open(port);
    connections++;
    if (random.next() < 0.9) socket.write(hello(`mutant-${connections}`));
    while (left > 0 && !socket.destroyed && socket.writable) {
      left--;
      socket.write(Buffer.concat([mutated(random), PING]));
      if (!(await answered(socket))) break;
    }
    socket.destroy();
  }
  return connections;
}

function answered(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (yes: boolean) => {
      clearTimeout(timer);
      socket.off("data", look);
      socket.off("close", closed);
      resolve(yes);
    };
    const look = (chunk: Buffer) => {
      if (chunk.includes(PINGRESP)) end(true);
    };
    const closed = () => end(false);
    const timer = setTimeout(closed, ANSWER_MS);
    socket.on("data", look);
    socket.once("close", closed);
  });
}

/** Ever new topics, as long as they may be. */
export async function topics(port: number, count: number): Promise<void> {
  const socket = await enter(port, "topics");
  socket.resume();
  for (let i = 0; i < count && !socket.destroyed; i++) {
    const topic = `windfarm/${String(i).padStart(980, "t")}/power-factor`;
    if (!socket.write(reading(topic, 1 + (i % 65_535), '{"id":"t"}'))) await first(socket, "drain", "close");
  }
  socket.end(Buffer.from([0xe0, 0]));
  await gone(socket);
}

/** Ever new client ids, with wills, that vanish without a word. */
export async function strangers(port: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const socket = await enter(port, `${i}-${"c".repeat(240)}`, Buffer.alloc(8 * 1024, 0x77));
    socket.destroy();
  }
}

/** Subscribes to all, with many filters, and never reads. */
export async function deafSubscriber(port: number, name: string, signal: AbortSignal): Promise<void> {
  const socket = await enter(port, name);
  socket.pause();
  const filters = Array.from({ length: 2000 }, (_, index) => ({
    topic: `windfarm/+/${index}/#`,
    qos: 1 as const,
  }));
  socket.write(
    generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "#", qos: 1 }, ...filters] }),
  );
  signal.addEventListener("abort", () => socket.destroy());
  await first(socket, "close");
  socket.destroy();
}
