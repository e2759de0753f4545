/** Takes a PUBLISH packet apart (MQTT 3.1.1 section 3.3) and knows the topics it has seen. */

import { Remembered } from "../common/remembered.ts";

/** A topic as it stands on the wire, judged once. */
export interface WireTopic {
  topic: string;
  forbidden?: ForbiddenTopic;
}

/** Why a connection that publishes to a topic is closed. */
export type ForbiddenTopic = "malformed" | "reserved_topic";

export interface Publish {
  topic: WireTopic;
  qos: 0 | 1 | 2;
  /** 1…65 535; 0 for QoS 0. */
  messageId: number;
  /** The DUP flag, of QoS 1 and 2; at QoS 0 it means nothing [MQTT-3.3.1-2]. */
  dup: boolean;
  payload: Buffer;
}

/** Longest topic taken, bytes. */
export const MAX_TOPIC_BYTES = 1024;

const DUP = 0x08;

export class PublishReader {
  /** By one character a byte: a key that tells any two topics apart, without decoding each time. */
  readonly #topics = new Remembered<WireTopic>((key) => this.#judge(Buffer.from(key, "latin1")));
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
    const topic = this.#topics.get(bytes.toString("latin1", body + 2, topicEnd));
    const dup = qos !== 0 && ((bytes[start] ?? 0) & DUP) !== 0;
    return { topic, qos: qos as 0 | 1 | 2, messageId, dup, payload: bytes.subarray(payloadStart, end) };
  }

  #judge(bytes: Buffer): WireTopic {
    if (bytes.length === 0 || bytes.length > MAX_TOPIC_BYTES) return { topic: "", forbidden: "malformed" };
    let topic: string;
    try {
      topic = this.#utf8.decode(bytes);
    } catch {
      return { topic: "", forbidden: "malformed" };
    }
    const forbidden = forbiddenTopic(topic);
    return forbidden === undefined ? { topic } : { topic, forbidden };
  }
}

/** Why nobody may publish to a topic, undefined if it may be tried. */
export function forbiddenTopic(topic: string): ForbiddenTopic | undefined {
  if (topic === "" || topic.length > MAX_TOPIC_BYTES || /[+#]/.test(topic)) return "malformed";
  return topic.startsWith("$SYS/") ? "reserved_topic" : undefined;
}
