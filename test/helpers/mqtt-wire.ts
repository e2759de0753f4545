import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { generate, type IConnectPacket, type Packet, parser } from "mqtt-packet";

/** A client that speaks MQTT packet by packet, so that a test can send what no library would. */
export class WireClient {
  readonly socket: Socket;
  readonly received: Packet[] = [];
  readonly #listeners: ((packet: Packet) => void)[] = [];
  readonly #waiting: {
    wanted: (packets: readonly Packet[]) => boolean;
    resolve: () => void;
    reject: (error: Error) => void;
  }[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    const packets = parser({ protocolVersion: 4 });
    packets.on("packet", (packet) => {
      for (const listener of this.#listeners) listener(packet);
      if (this.#listeners.length > 0) return;
      this.received.push(packet);
      for (const { wanted, resolve } of this.#waiting) if (wanted(this.received)) resolve();
    });
    socket.on("data", (chunk) => packets.parse(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      for (const { reject } of this.#waiting)
        reject(new Error("the connection closed before what was awaited came"));
    });
  }

  static async open(port: number): Promise<WireClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new WireClient(socket);
  }

  /** Opens and waits for the CONNACK. */
  static async connected(
    port: number,
    options: Parameters<WireClient["connect"]>[0] = {},
  ): Promise<WireClient> {
    const client = await WireClient.open(port);
    client.connect(options);
    await client.until((packets) => packets.some(({ cmd }) => cmd === "connack"));
    return client;
  }

  connect(
    options: {
      clientId?: string;
      keepalive?: number;
      username?: string;
      password?: Buffer;
      will?: NonNullable<IConnectPacket["will"]>;
    } = {},
  ): void {
    const { clientId = `wire-${process.pid}-${Math.random()}`, keepalive = 0, ...rest } = options;
    this.send({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId,
      keepalive,
      ...rest,
    });
  }

  send(packet: Packet): void {
    this.socket.write(generate(packet));
  }

  publish(topic: string, payload: string, messageId: number, qos: 0 | 1 | 2 = 1, dup = false): void {
    const id = qos === 0 ? {} : { messageId };
    this.send({ cmd: "publish", topic, payload, qos, dup, retain: false, ...id });
  }

  /** From now on packets are given to `listener` and not kept. */
  onPacket(listener: (packet: Packet) => void): void {
    this.#listeners.push(listener);
  }

  /** Ids of the packets of one kind, in the order received. */
  ids(cmd: Packet["cmd"]): (number | undefined)[] {
    return this.received.filter((packet) => packet.cmd === cmd).map(({ messageId }) => messageId);
  }

  /** Rejects when the connection closes before. */
  async until(wanted: (packets: readonly Packet[]) => boolean): Promise<void> {
    if (wanted(this.received)) return;
    if (this.socket.closed) throw new Error("the connection is closed, and what is awaited has not come");
    await new Promise<void>((resolve, reject) => this.#waiting.push({ wanted, resolve, reject }));
  }

  /** Resolves when the other side has closed. */
  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, "close");
  }

  /** A PINGREQ and its answer: everything sent before has been looked at. */
  async ping(): Promise<void> {
    const before = this.ids("pingresp").length;
    this.send({ cmd: "pingreq" });
    await this.until(() => this.ids("pingresp").length > before);
  }
}
