/**
 * One client's connection: stands between its socket and aedes.
 *
 *   socket ──▶ framing guard ──▶ PUBLISH, PUBREL ──▶ intake ──(fsync)──▶ PUBACK, PUBREC, PUBCOMP ──▶ socket
 *                           ├──▶ PINGREQ ─────────────────────────────────────────────▶ PINGRESP ──▶ socket
 *                           └──▶ everything else ──▶ aedes ───────────────────────────────────────▶ socket
 *
 * aedes acknowledges a QoS 1 publish before anything stored it and reads a client's packets one chunk at a time; so
 * publishes do not pass through it; nor do pings, of which a flood would cost it 50 MB. What is left to aedes is the
 * session: CONNECT, SUBSCRIBE, DISCONNECT, the will. QoS 2 keeps no state here: a publish sent again after a lost PUBREC is
 * stored again, and the lake removes it.
 */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { Acknowledgements } from "./acknowledgements.ts";
import type { CloseReason, ConnectionHost, TimeLimits } from "./connection-host.ts";
import { FrameCutter, type FramingError } from "./frames.ts";
import { Patience } from "./patience.ts";
import type { Publish } from "./publish-packet.ts";

/** Publishes of one connection between receipt and storage, and their bytes; beyond that its socket is not read. */
export const MAX_OPEN_PUBLISHES = 1024;
export const MAX_OPEN_BYTES = 256 * 1024;
/** How long what was written may take to leave after a connection is closed. */
const LINGER_MS = 2000;
/** Packets cut and not yet taken by aedes, bytes: small ones weigh much more than their bytes. */
const MAX_UNTAKEN_BYTES = 1024;

const CONNECT = 1;
const PUBLISH = 3;
const PUBREL = 6;
const PINGREQ = 12;
const DISCONNECT = 14;
const PUBREL_HEADER = 0x62;
const PINGREQ_HEADER = 0xc0;
const PINGRESP = Buffer.from([0xd0, 0]);
/** As many answers as leave in one piece. */
const PINGRESPS = Buffer.alloc(512 * PINGRESP.length, PINGRESP);

export class Connection extends Duplex {
  readonly socket: Socket;
  /** The user's name once authenticated. */
  user: string | undefined;
  readonly patience: Patience;
  readonly #host: ConnectionHost;
  readonly #cutter: FrameCutter;
  readonly #acks = new Acknowledgements(MAX_OPEN_PUBLISHES, MAX_OPEN_BYTES);
  #state: "new" | "connecting" | "ready" | "leaving" | "closed" = "new";
  #untaken = false;
  /** Pings not answered yet, bytes of their answers. */
  #pingedBytes = 0;
  #saidGoodbye = false;
  #flushPlanned = false;
  #idle: (() => void) | undefined;

  constructor(socket: Socket, host: ConnectionHost) {
    super({ allowHalfOpen: false, autoDestroy: true, readableHighWaterMark: MAX_UNTAKEN_BYTES });
    this.socket = socket;
    this.#host = host;
    this.patience = new Patience(host.now());
    this.#cutter = new FrameCutter(host.maxPacketBytes, (...frame) => this.#frame(...frame));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    // What aedes writes waits here, piece by piece, and not in the socket.
    this.on("drain", () => this.#drained());
    socket.on("end", () => this.#ended());
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  /** True until its CONNECT was accepted. */
  get pending(): boolean {
    return this.#state === "new" || this.#state === "connecting";
  }

  /** Publishes received and not yet stored. */
  get open(): number {
    return this.#acks.open;
  }

  /** It sent a DISCONNECT: its will is void, whatever becomes of the socket [MQTT-3.14.4-3]. */
  get saidGoodbye(): boolean {
    return this.#saidGoodbye;
  }

  /** aedes accepted the CONNECT: what the client sent behind it may be looked at. */
  accepted(): void {
    if (this.#state !== "connecting") return;
    this.#state = "ready";
    this.#tryOn();
  }

  /** Closes for a reason that is counted. */
  closeFor(reason: CloseReason): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#host.closing(this, reason);
    this.destroy();
  }

  /** Looks at the clocks of this connection; called every second or so. */
  checkTimes(nowMs: number, limits: TimeLimits): void {
    const { held, waiting: partial } = this.#cutter;
    const unsent = this.socket.writableNeedDrain || this.writableNeedDrain;
    const reason = this.patience.exceeded(nowMs, limits, { pending: this.pending, unsent, held, partial });
    if (reason !== undefined) this.closeFor(reason);
    else if (held) this.#checkHeld(nowMs);
  }

  /**
   * Its PINGREQ may stand behind readings that can't be taken yet. It is answered in advance, or the client would take us for
   * dead, come back and send everything again; and a client that is gone is found out by the answer.
   */
  #checkHeld(nowMs: number): void {
    this.#tryOn();
    if (this.#cutter.held && this.patience.owesSign(nowMs)) this.socket.write(PINGRESP);
  }

  /** Reads nothing more; resolves when all that was taken is stored and acknowledged. */
  async drain(): Promise<void> {
    this.socket.pause();
    if (this.#state === "ready") this.#state = "leaving";
    if (this.#acks.open > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#flush();
  }

  override _read(): void {
    this.#untaken = false;
    // Later, when aedes has what there was; at once, each packet would be cut for itself.
    process.nextTick(this.#tryOn);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.socket.write(chunk, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
  }

  override _final(callback: () => void): void {
    this.socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#state = "closed";
    this.#idle?.();
    if (this.socket.writableLength === 0) {
      this.socket.destroy();
    } else {
      // Sends what was written, such as the CONNACK that says why; but a peer that doesn't read can't keep us.
      this.socket.destroySoon();
      setTimeout(() => this.socket.destroy(), LINGER_MS).unref();
    }
    callback(error);
  }

  #received(chunk: Buffer): void {
    if (this.#state === "closed") return;
    this.patience.seen(this.#host.now());
    const { packets, waiting } = this.#cutter;
    const error = this.#cutter.feed(chunk);
    if (!waiting || this.#cutter.packets !== packets) this.patience.packetBegan();
    this.#afterCut(error);
  }

  /** True while what this client sends can't be taken further, or what is for it does not leave. */
  get #blocked(): boolean {
    const { window } = this.#host.intake;
    return this.#acks.full || this.#acks.open >= window || this.#untaken || this.socket.writableNeedDrain;
  }

  /** Reads on where nothing speaks against it. */
  readonly #tryOn = (): void => {
    if ((this.#state !== "new" && this.#state !== "ready") || this.#blocked) return;
    if (this.#cutter.held) this.#goOn();
    else this.socket.resume();
  };

  #goOn(): void {
    this.patience.readAgain(this.#host.now());
    this.#afterCut(this.#cutter.resume());
  }

  #afterCut(error: FramingError | undefined): void {
    this.#answerPings();
    if (error !== undefined) this.closeFor(error);
    else if (this.#cutter.held || this.#state === "leaving") this.socket.pause();
    else this.socket.resume();
  }

  #frame(bytes: Buffer, start: number, body: number, end: number): boolean | FramingError {
    const header = bytes[start] ?? 0;
    const type = header >>> 4;
    if (this.#state === "new") {
      if (type !== CONNECT) return "malformed";
      this.#state = "connecting";
      this.push(bytes.subarray(start, end));
      return false;
    }
    if (type === PUBLISH) return this.#publish(bytes, start, body, end);
    if (type === PUBREL) return this.#released(bytes, header, body, end);
    if (type === PINGREQ) return this.#pinged(header, body, end);
    if (type === DISCONNECT) this.#saidGoodbye = true;
    if (type === DISCONNECT && this.#acks.open > 0) {
      // aedes hangs up at once; the client shall still get its acknowledgements.
      this.#state = "leaving";
      const packet = Buffer.from(bytes.subarray(start, end));
      void this.drain().then(() => this.push(packet));
      return false;
    }
    this.#untaken = !this.push(bytes.subarray(start, end));
    return !this.#blocked;
  }

  #publish(bytes: Buffer, start: number, body: number, end: number): boolean | FramingError {
    const publish = this.#host.publishes.read(bytes, start, body, end);
    if (publish === undefined || publish.topic.forbidden === "malformed") return "malformed";
    const refusal = publish.topic.forbidden ?? this.#notAllowed(publish.topic.topic);
    if (refusal !== undefined) {
      this.closeFor(refusal);
      return false;
    }
    this.#acks.take(publish.qos, publish.messageId, publish.payload.length);
    if (this.#host.forwards()) this.#acceptAndForward(publish);
    else this.#host.intake.accept(publish.topic.topic, publish.payload, publish.dup, this.#stored);
    return !this.#blocked;
  }

  #notAllowed(topic: string): "not_authorized" | undefined {
    return this.#host.mayPublish(this, topic) ? undefined : "not_authorized";
  }

  #acceptAndForward({ topic: { topic }, payload, dup }: Publish): void {
    const copy = Buffer.from(payload);
    this.#host.intake.accept(topic, payload, dup, (error) => {
      this.#stored(error);
      if (!error) this.#host.forward(topic, copy);
    });
  }

  /** One function for all publishes: they are stored in the order they were taken. */
  readonly #stored = (error?: Error | null): void => {
    this.#acks.stored();
    if (error) this.closeFor("store_failed");
    if (this.#state === "closed" || this.#flushPlanned) return;
    this.#flushPlanned = true;
    // Once for all that the same commit stored.
    process.nextTick(this.#flushLater);
  };

  readonly #flushLater = (): void => {
    this.#flushPlanned = false;
    this.#flush();
    if (this.#acks.open === 0) this.#idle?.();
    if (this.#cutter.held) this.#tryOn();
  };

  #flush(): void {
    const packets = this.#acks.flush();
    if (packets.length > 0 && this.#state !== "closed") this.socket.write(packets);
  }

  /** The second half of QoS 2: PUBREL is answered with PUBCOMP, whatever it names [MQTT-4.3.3-2]. */
  #released(bytes: Buffer, header: number, body: number, end: number): boolean | FramingError {
    if (header !== PUBREL_HEADER || end - body !== 2) return "malformed";
    this.socket.write(Buffer.from([0x70, 2, bytes[body] ?? 0, bytes[body + 1] ?? 0]));
    return !this.#blocked;
  }

  #pinged(header: number, body: number, end: number): boolean | FramingError {
    if (header !== PINGREQ_HEADER || end !== body) return "malformed";
    this.#pingedBytes += PINGRESP.length;
    if (this.#pingedBytes === PINGRESPS.length) this.#answerPings();
    return !this.#blocked;
  }

  #answerPings(): void {
    if (this.#pingedBytes > 0 && this.#state !== "closed")
      this.socket.write(PINGRESPS.subarray(0, this.#pingedBytes));
    this.#pingedBytes = 0;
  }

  #drained(): void {
    this.patience.sent();
    this.#tryOn();
  }

  /** The client closed its side: aedes learns of it behind everything the client sent. */
  #ended(): void {
    this.push(null);
  }
}
