/** Brokers and an intake for the subscriber's tests: aedes for a real session, a scripted one for what aedes can't say. */

import { EventEmitter, once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import mqttPacket, { type Packet, type Parser } from "mqtt-packet";
import { pino } from "pino";
import type { Intake } from "../../agent/collect/intake.ts";
import type { SubscriberSettings } from "../../agent/collect/subscriber-settings.ts";

export function settingsFor(port: number, more: Partial<SubscriberSettings> = {}): SubscriberSettings {
  return {
    url: `mqtt://127.0.0.1:${port}`,
    clientId: "windfarm-gw-01",
    topic: "windfarm/+/+",
    maxPacketBytes: 65_536,
    connectTimeoutMs: 10_000,
    keepaliveMs: 30_000,
    ...more,
  };
}

export interface LogLine {
  level: number;
  msg: string;
  code?: string;
  hint?: string;
}
export const LEVEL = { warn: 40, error: 50 } as const;

/** A real logger whose lines can be read. */
export function recordingLog() {
  const lines: LogLine[] = [];
  const log = pino({ level: "debug" }, { write: (line) => void lines.push(JSON.parse(line)) });
  return { log, lines, at: (level: number) => lines.filter((line) => line.level === level) };
}

export interface Message {
  topic: string;
  payload: Buffer;
  dup: boolean;
  stored(error?: Error): void;
}

/** Says nothing is stored until it is told to; `message` events. */
export class HoldingIntake extends EventEmitter implements Intake {
  readonly messages: Message[] = [];
  readonly window = Number.POSITIVE_INFINITY;

  accept(topic: string, payload: Uint8Array, dup: boolean, stored: (error?: Error | null) => void): boolean {
    this.messages.push({ topic, payload: Buffer.from(payload), dup, stored });
    this.emit("message");
    return true;
  }

  async count(wanted: number): Promise<Message[]> {
    while (this.messages.length < wanted) await once(this, "message");
    return this.messages;
  }
}

/** Stores at once. */
export class PromptIntake extends HoldingIntake {
  override accept(
    topic: string,
    payload: Uint8Array,
    dup: boolean,
    stored: (error?: Error | null) => void,
  ): boolean {
    super.accept(topic, payload, dup, stored);
    stored();
    return true;
  }
}

export interface Listening {
  port: number;
  close(): Promise<void>;
}

/** Serves `handle` on 127.0.0.1; `close` ends its connections too. */
export async function listen(server: Server, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
    socket.on("error", () => {});
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

export async function startAedes(port = 0) {
  const broker = await Aedes.createBroker();
  const server = await listen(createServer(broker.handle), port);
  const close = async () => {
    await new Promise<void>((resolve) => broker.close(resolve));
    await server.close();
  };
  return { broker, port: server.port, close };
}

/** The broker's end of one connection. */
export class Peer extends EventEmitter {
  readonly socket: Socket;
  readonly #parser: Parser;
  readonly #packets: Packet[] = [];
  #version: 4 | 5 = 4;

  constructor(socket: Socket) {
    super();
    this.socket = socket;
    this.#parser = mqttPacket.parser();
    this.#parser.on("packet", (packet) => {
      if (packet.cmd === "connect") this.#version = packet.protocolVersion === 5 ? 5 : 4;
      this.#packets.push(packet);
      this.emit("packet");
    });
    socket.on("data", (chunk) => this.#parser.parse(chunk));
  }

  /** Packets that came and were not taken by `next`. */
  get waiting(): string[] {
    return this.#packets.map(({ cmd }) => cmd);
  }

  /** How many packets of a kind wait, until one of another kind came. */
  async countUntil(counted: Packet["cmd"], last: Packet["cmd"]): Promise<number> {
    for (let count = 0; ; ) {
      const packet = this.#packets.shift();
      if (packet === undefined) await once(this, "packet");
      else if (packet.cmd === last) return count;
      else if (packet.cmd === counted) count++;
    }
  }

  async next<C extends Packet["cmd"]>(cmd: C): Promise<Extract<Packet, { cmd: C }>> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet === undefined) await once(this, "packet");
      else if (isCommand(packet, cmd)) return packet;
      else throw new Error(`expected ${cmd}, got ${packet.cmd}`);
    }
  }

  send(packet: Packet): void {
    this.socket.write(mqttPacket.generate(packet, { protocolVersion: this.#version }));
  }

  /** Accepts the connection and the subscription. */
  async welcome(sessionPresent = false) {
    const connect = await this.next("connect");
    this.send({ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent });
    const subscribe = await this.next("subscribe");
    this.send({ cmd: "suback", messageId: subscribe.messageId ?? 0, granted: [1] });
    return { connect, subscribe };
  }

  publish(messageId: number, topic: string, payload: string, qos: 0 | 1 | 2 = 1): void {
    this.send({ cmd: "publish", messageId, topic, payload, qos, dup: false, retain: false });
  }
}

function isCommand<C extends Packet["cmd"]>(packet: Packet, cmd: C): packet is Extract<Packet, { cmd: C }> {
  return packet.cmd === cmd;
}

/** A broker that says what the test says. */
export async function scriptedBroker() {
  const arrivals = new EventEmitter();
  const peers: Peer[] = [];
  const server = await listen(
    createServer((socket) => {
      peers.push(new Peer(socket));
      arrivals.emit("peer");
    }),
  );
  let taken = 0;
  const next = async (): Promise<Peer> => {
    while (peers[taken] === undefined) await once(arrivals, "peer");
    return peers[taken++]!;
  };
  return { port: server.port, close: server.close, next };
}

/** Time that a test turns by hand: `run()` fires what was waited for. */
export class HandTimers {
  readonly waiting: { ms: number; run: () => void }[] = [];

  readonly after = (ms: number, run: () => void): (() => void) => {
    const entry = { ms, run };
    this.waiting.push(entry);
    return () => void (this.waiting.includes(entry) && this.waiting.splice(this.waiting.indexOf(entry), 1));
  };

  /** Fires the first timer of `ms`, or of less where `ms` is left out of the list. */
  fire(matches: (ms: number) => boolean): number {
    const entry = this.waiting.find(({ ms }) => matches(ms));
    if (entry === undefined) throw new Error("no such timer");
    this.waiting.splice(this.waiting.indexOf(entry), 1);
    entry.run();
    return entry.ms;
  }
}
