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
import { Acknowledgements } from "./acknowledgements.ts";
import type { CloseReason, TimeLimits } from "./closing.ts";
import { refusalOfVersion } from "./connack.ts";
import { isConnect } from "./connect-packet.ts";
import { addressOf, type ConnectionSetup } from "./connection-setup.ts";
import { Forwards } from "./forwards.ts";
import { FrameCutter, type FramingError } from "./frames.ts";
import * as type from "./packet-types.ts";
import { Patience } from "./patience.ts";
import { PINGRESP, Pings } from "./pings.ts";
import { SocketStream } from "./socket-stream.ts";
import { readFilters } from "./subscribe-packet.ts";
import { mayPublish, type User } from "./users.ts";

/** Publishes of one connection between receipt and storage, and their bytes; beyond that its socket is not read. */
export const MAX_OPEN_PUBLISHES = 1024;
export const MAX_OPEN_BYTES = 256 * 1024;
/** Packets cut and not yet taken by aedes, bytes: small ones weigh much more than their bytes. */
const MAX_UNTAKEN_BYTES = 1024;

export class Connection extends SocketStream {
  /** Where the client is. */
  readonly address: string;
  readonly certificate: string | undefined;
  readonly patience: Patience;
  /** Of its CONNECT, which may leave it out. */
  clientId = "";
  /** Of its CONNECT. */
  willTopic: string | undefined;
  /** Once let in; undefined where anybody is. */
  user: User | undefined;
  /** It sent a DISCONNECT: its will is void, whatever becomes of the socket [MQTT-3.14.4-3]. */
  saidGoodbye = false;
  readonly #setup: ConnectionSetup;
  readonly #cutter: FrameCutter;
  readonly #pings = new Pings();
  readonly #acks = new Acknowledgements(MAX_OPEN_PUBLISHES, MAX_OPEN_BYTES);
  #state: "new" | "connecting" | "ready" | "leaving" | "closed" = "new";
  /** The client is gone: nothing that follows is a reason of ours. */
  #left = false;
  #untaken = false;
  readonly #forwards: Forwards;
  #flushPlanned = false;
  #idle: (() => void) | undefined;

  constructor(socket: Socket, setup: ConnectionSetup) {
    super(socket, { readableHighWaterMark: MAX_UNTAKEN_BYTES });
    this.address = addressOf(socket);
    this.certificate = setup.certificate;
    this.#setup = setup;
    this.#forwards = new Forwards(setup.watchers);
    this.patience = new Patience(setup.now());
    this.#cutter = new FrameCutter(setup.maxPacketBytes, (...frame) => this.#frame(...frame));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    // What aedes writes waits here, piece by piece, and not in the socket.
    this.on("drain", () => this.#drained());
    // The client closed its side: aedes learns of it behind everything the client sent.
    socket.on("end", () => this.push(null));
    socket.on("error", () => this.#gone());
    socket.on("close", () => this.#gone());
  }

  /** aedes accepted the CONNECT: what the client sent behind it may be looked at. */
  accepted(): void {
    if (this.#state !== "connecting") return;
    this.#state = "ready";
    this.#tryOn();
  }

  /** Closes for a reason that is counted, once, unless the client left first. */
  closeFor(reason: CloseReason): void {
    // A socket that failed tells aedes, whose write it was, before it tells us.
    if (this.#left || this.socket.errored !== null) return;
    this.#left = true;
    this.#setup.closed(reason);
    this.destroy();
  }

  /** Answers the CONNECT with a refusal and closes. */
  turnAway(connack: Buffer, reason: CloseReason): void {
    this.write(connack);
    this.closeFor(reason);
  }

  /**
   * True if the packet is on its way to a client that looks on; `sent` is called once it has left or is lost. False for a
   * client that has not taken what it was sent before.
   */
  show(packet: Buffer, sent: () => void): boolean {
    if (this.#state !== "ready" || this.socket.writableNeedDrain) return false;
    this.socket.write(packet, sent);
    return true;
  }

  /** May this client publish to `topic`? */
  mayPublish(topic: string): boolean {
    return !this.#setup.restricted || (this.user !== undefined && mayPublish(this.user, topic));
  }

  /** Looks at the clocks of this connection; called every second or so. */
  checkTimes(nowMs: number, limits: TimeLimits): void {
    const { held, waiting: partial } = this.#cutter;
    const unsent = this.socket.writableNeedDrain || this.writableNeedDrain;
    const pending = this.#state === "new" || this.#state === "connecting";
    const reason = this.patience.exceeded(nowMs, limits, { pending, unsent, held, partial });
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

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#state = "closed";
    this.#idle?.();
    super._destroy(error, callback);
  }

  #received(chunk: Buffer): void {
    if (this.#state === "closed") return;
    this.patience.seen(this.#setup.now());
    const { packets, waiting } = this.#cutter;
    const error = this.#cutter.feed(chunk);
    if (!waiting || this.#cutter.packets !== packets) this.patience.packetBegan();
    this.#afterCut(error);
  }

  /** True while what this client sends can't be taken further, or what is for it does not leave, or it is closed. */
  get #blocked(): boolean {
    if (this.#state === "closed" || this.#acks.full || this.#untaken || this.socket.writableNeedDrain)
      return true;
    return this.#acks.open >= this.#setup.intake.window;
  }

  /** Reads on where nothing speaks against it. */
  readonly #tryOn = (): void => {
    if ((this.#state !== "new" && this.#state !== "ready") || this.#blocked) return;
    if (this.#cutter.held) this.#goOn();
    else this.socket.resume();
  };

  #goOn(): void {
    this.patience.readAgain(this.#setup.now());
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
    const kind = header >>> 4;
    if (this.#state === "new") {
      if (kind !== type.CONNECT) return "malformed";
      this.#state = "connecting";
      const refusal = refusalOfVersion(bytes.subarray(body, end));
      if (refusal !== undefined) this.turnAway(refusal, "unsupported_version");
      else if (isConnect(bytes, body, end)) this.push(bytes.subarray(start, end));
      else return "malformed";
      return false;
    }
    if (kind === type.PUBLISH) return this.#publish(bytes, start, body, end);
    if (kind === type.PINGREQ) return this.#pinged(header, end - body);
    if (type.ANSWERS.has(header)) return this.#answered(bytes, header, body, end);
    const packet = bytes.subarray(start, end);
    if (header === type.DISCONNECT << 4 && body === end) {
      this.saidGoodbye = true;
      if (this.#acks.open > 0) return this.#leave(Buffer.from(packet));
    } else if (!type.WITH_FILTERS.includes(kind) || !readFilters(kind, bytes, body, end)) return "malformed";
    this.#untaken = !this.push(packet);
    return !this.#blocked;
  }

  /** aedes hangs up at once; the client shall still get its acknowledgements. */
  #leave(disconnect: Buffer): false {
    this.#state = "leaving";
    void this.drain().then(() => this.push(disconnect));
    return false;
  }

  #publish(bytes: Buffer, start: number, body: number, end: number): boolean | FramingError {
    const publish = this.#setup.publishes.read(bytes, start, body, end);
    if (publish === undefined || publish.topic.forbidden === "malformed") return "malformed";
    const { topic, forbidden } = publish.topic;
    if (forbidden !== undefined || !this.mayPublish(topic)) {
      this.closeFor(forbidden ?? "not_authorized");
      return false;
    }
    this.#acks.take(publish.qos, publish.messageId, publish.payload.length);
    const { payload, dup } = publish;
    this.#forwards.take(topic, payload);
    if (!this.#setup.intake.accept(topic, payload, dup, this.#stored)) this.#forwards.forget();
    return !this.#blocked;
  }

  /** One function for all publishes: they are stored in the order they were taken, and the buffer tells senders apart by it. */
  readonly #stored = (error?: Error | null): void => {
    this.#acks.stored();
    this.#forwards.settle(!error);
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

  #answered(bytes: Buffer, header: number, body: number, end: number): boolean | FramingError {
    if (end - body !== 2 || bytes.readUInt16BE(body) === 0) return "malformed";
    const answer = type.ANSWERS.get(header);
    if (answer !== undefined)
      this.socket.write(Buffer.from([answer, 2, bytes[body] ?? 0, bytes[body + 1] ?? 0]));
    return !this.#blocked;
  }

  #pinged(header: number, bodyBytes: number): boolean | FramingError {
    if (!this.#pings.take(header, bodyBytes)) return "malformed";
    if (this.#pings.full) this.#answerPings();
    return !this.#blocked;
  }

  #answerPings(): void {
    const answers = this.#pings.answers();
    if (answers !== undefined && this.#state !== "closed") this.socket.write(answers);
  }

  #drained(): void {
    this.patience.sent();
    this.#tryOn();
  }

  #gone(): void {
    this.#left = true;
    this.destroy();
  }
}
