/** Takes a PUBLISH packet apart (MQTT 3.1.1 section 3.3) and knows the topics it has seen. */

/** A topic as it stands on the wire, judged once. */
export interface WireTopic {
  topic: string;
  /** Why a connection that publishes to it is closed; undefined for a topic that may be published to. */
  forbidden?: "malformed" | "reserved_topic";
}

export interface Publish {
  topic: WireTopic;
  qos: 0 | 1 | 2;
  /** 1…65 535; 0 for QoS 0. */
  messageId: number;
  payload: Buffer;
}

/** Topics remembered, and their length; more than a gateway has, and no leak for a client that invents one each time. */
export const MAX_WIRE_TOPICS = 4096;
const MAX_REMEMBERED_BYTES = 128;
/** Longest topic taken, bytes. */
export const MAX_TOPIC_BYTES = 1024;

export class PublishReader {
  readonly #topics = new Map<string, WireTopic>();
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /** The packet whose fixed header is at `start` and whose body goes from `body` to `end`; undefined if malformed. */
  read(bytes: Buffer, start: number, body: number, end: number): Publish | undefined {
    const qos = ((bytes[start] ?? 0) >> 1) & 3;
    if (qos === 3 || body + 2 > end) return undefined;
    const topicEnd = body + 2 + bytes.readUInt16BE(body);
    const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
    if (payloadStart > end) return undefined;
    const messageId = qos === 0 ? 0 : bytes.readUInt16BE(topicEnd);
    if (qos !== 0 && messageId === 0) return undefined;
    const topic = this.#topic(bytes, body + 2, topicEnd);
    return { topic, qos: qos as 0 | 1 | 2, messageId, payload: bytes.subarray(payloadStart, end) };
  }

  #topic(bytes: Buffer, start: number, end: number): WireTopic {
    // One character a byte: a key that tells any two topics apart, without decoding each time.
    const key = bytes.toString("latin1", start, end);
    const known = this.#topics.get(key);
    if (known !== undefined) return known;
    const judged = this.#judge(bytes.subarray(start, end));
    if (key.length > MAX_REMEMBERED_BYTES) return judged;
    if (this.#topics.size >= MAX_WIRE_TOPICS) this.#topics.clear();
    this.#topics.set(key, judged);
    return judged;
  }

  #judge(bytes: Buffer): WireTopic {
    if (bytes.length === 0 || bytes.length > MAX_TOPIC_BYTES) return { topic: "", forbidden: "malformed" };
    let topic: string;
    try {
      topic = this.#utf8.decode(bytes);
    } catch {
      return { topic: "", forbidden: "malformed" };
    }
    if (/[+#]/.test(topic)) return { topic, forbidden: "malformed" };
    if (topic.startsWith("$SYS/")) return { topic, forbidden: "reserved_topic" };
    return { topic };
  }
}
