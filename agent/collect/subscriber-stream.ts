/**
 * The stream between the socket and mqtt.js:
 *
 *   socket ──▶ PacketReader ──▶ PUBLISH, PUBREL ──▶ us
 *                          └──▶ all else ─────────▶ mqtt.js (CONNACK, SUBACK, PINGRESP, DISCONNECT)
 *   socket ◀── whole packets ◀── our acknowledgements, mqtt.js' few packets
 */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type PacketHandlers, PacketReader } from "./subscriber-packets.ts";

export interface StreamSettings {
  maxPayloadBytes: number;
  version: 4 | 5;
}

export class BrokerStream extends Duplex {
  readonly #socket: Socket;

  constructor(socket: Socket, settings: StreamSettings, handlers: Omit<PacketHandlers, "other">) {
    super();
    this.#socket = socket;
    const other = (packet: Buffer) => this.push(packet);
    const reader = new PacketReader({ ...handlers, other }, settings.maxPayloadBytes, settings.version);
    socket.on("data", (chunk: Buffer) => {
      try {
        reader.feed(chunk);
      } catch (error) {
        this.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  /** Sends whole packets. */
  send(packets: Buffer): void {
    if (this.#socket.writable) this.#socket.write(packets);
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** The socket pushes; what goes to mqtt.js is a few small packets. */
  override _read(): void {}

  // Answered at once, so that a packet mqtt.js writes in pieces reaches the socket before any acknowledgement can.
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.send(chunk);
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.send(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }

  override _final(done: () => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
