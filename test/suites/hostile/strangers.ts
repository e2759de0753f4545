/** What strangers and slow guests do to a broker with users. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { generate, type IConnectPacket } from "mqtt-packet";

const BATCH_MS = 20;

export interface Flood {
  port: number;
  /** CONNECTs a second. */
  perSecond: number;
  /** The user named. */
  username: string;
  passwordBytes: number;
  /** Loopback addresses it comes from. */
  addresses: number;
}

export function hello(clientId: string, rest: Partial<IConnectPacket> = {}): Buffer {
  return generate({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId,
    keepalive: 0,
    ...rest,
  });
}

export function open(port: number, localAddress = "127.0.0.1"): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
  socket.on("error", () => {});
  return socket;
}

/** Wrong passwords without end. Gives how many were sent. */
export async function floodLogins(flood: Flood, signal: AbortSignal): Promise<number> {
  const password = Buffer.alloc(flood.passwordBytes, 0x78);
  const started = performance.now();
  let sent = 0;
  while (!signal.aborted) {
    const due = ((performance.now() - started) / 1000) * flood.perSecond;
    for (; sent < due; sent++) {
      const address = `127.0.1.${1 + (sent % flood.addresses)}`;
      const socket = open(flood.port, address);
      socket.resume();
      socket.write(hello(`stranger-${sent}`, { username: flood.username, password }));
    }
    await pause(BATCH_MS);
  }
  return sent;
}

/** Clients with a password that vanish with wills on topics that are none, and on topics of their own. */
export async function wills(port: number, count: number): Promise<void> {
  const topics = [
    "windfarm/+/power-factor",
    "windfarm/#",
    "$SYS/x",
    "windfarm/T99/power-factor",
    "windfarm/T07/will",
  ];
  for (let i = 0; i < count; i++) {
    const topic = topics[i % topics.length] ?? "";
    const socket = open(port);
    const will = { topic, payload: Buffer.alloc(8000, 0x77), qos: 1 as const, retain: true };
    socket.write(hello(`will-${i}`, { username: "t07", password: Buffer.from("secret"), will }));
    await Promise.race([once(socket, "data"), once(socket, "close")]);
    socket.resetAndDestroy();
  }
}

/** Logs in and subscribes; the function that comes back reads `bytes` of it every now and then. */
export async function slowWatcher(
  port: number,
  name: string,
  bytes: number,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const socket = open(port);
  socket.write(hello(name, { username: "panel", password: Buffer.from("secret") }));
  await Promise.race([once(socket, "data"), once(socket, "close")]);
  socket.write(
    generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "windfarm/#", qos: 1 }] }),
  );
  socket.pause();
  return async () => {
    while (!signal.aborted && !socket.destroyed) {
      socket.read(bytes);
      await pause(50 + Math.random() * 400);
    }
    socket.destroy();
  };
}

/** Publishes `payload` as fast as it is acknowledged, until told. */
export async function publishAll(port: number, payload: Buffer, signal: AbortSignal): Promise<number> {
  const socket = open(port);
  socket.write(hello("publisher", { username: "t07", password: Buffer.from("secret") }));
  await once(socket, "data");
  let sent = 0;
  while (!signal.aborted && !socket.destroyed) {
    const packet = {
      cmd: "publish",
      topic: "windfarm/T07/power-factor",
      payload,
      qos: 1,
      messageId: 1 + (sent++ % 60_000),
      dup: false,
      retain: false,
    } as const;
    socket.write(generate(packet));
    await Promise.race([once(socket, "data"), once(socket, "close")]);
  }
  socket.destroy();
  return sent;
}

export interface Identity {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

export function identity(folder: string): Identity {
  const read = (name: string) => readFileSync(`${folder}/${name}`);
  return { ca: read("ca.pem"), cert: read("device.pem"), key: read("device.key") };
}

/**
 * A TLS client that says the first `cut` bytes of its handshake and CONNECT, at most all, and vanishes by `how`. Gives true if it had
 * more to say.
 */
export async function vanishAt(
  port: number,
  identity: Identity,
  cut: number,
  how: "end" | "resetAndDestroy",
): Promise<boolean> {
  const tcp = open(port);
  await Promise.race([once(tcp, "connect"), once(tcp, "close")]);
  let sent = 0;
  let vanished = false;
  const wire = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const rest = chunk.subarray(0, Math.max(0, cut - sent));
      sent += rest.length;
      const over = rest.length < chunk.length;
      if (!tcp.destroyed && rest.length > 0) tcp.write(rest);
      if (over && !vanished) {
        vanished = true;
        tcp[how]();
      }
      done();
    },
  });
  tcp.on("data", (chunk) => wire.push(chunk));
  const tls = connectTls({ socket: wire, servername: "localhost", ...identity });
  tls.on("error", () => {});
  tls.once("secureConnect", () => {
    tls.write(hello("vanishing"));
    setImmediate(() => tcp[how]());
  });
  tcp.resume();
  await once(tcp, "close");
  tls.destroy();
  wire.destroy();
  return vanished;
}
