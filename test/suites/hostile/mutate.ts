/** Valid packets, and what becomes of them when bytes are changed, cut off, added or repeated. Repeatable by its seed. */

import { generate, type Packet } from "mqtt-packet";
import type { Random } from "../../../simulators/random.ts";

const reading = { id: "M1", data: 0.97, type: "Power Factor", date: "2026-11-22T12:00:00.000Z" };
const topic = "windfarm/T66/power-factor";
const payload = JSON.stringify(reading);
const publish = { cmd: "publish", topic, payload, dup: false, retain: false } as const;
const hello = { cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 60 } as const;
const will = { topic, payload: Buffer.from(payload), qos: 1, retain: false } as const;

const VALID: readonly Packet[] = [
  { ...hello, clientId: "mutant" },
  { ...hello, clientId: "mutant-2", username: "u", password: Buffer.from("p"), will },
  { ...publish, qos: 0 },
  { ...publish, qos: 1, messageId: 7 },
  { ...publish, qos: 1, messageId: 8, retain: true },
  { ...publish, qos: 2, messageId: 9 },
  { cmd: "pubrel", messageId: 9 },
  { cmd: "puback", messageId: 7 },
  { cmd: "pubrec", messageId: 7 },
  { cmd: "pubcomp", messageId: 7 },
  { cmd: "subscribe", messageId: 10, subscriptions: [{ topic: "windfarm/#", qos: 1 }] },
  {
    cmd: "subscribe",
    messageId: 11,
    subscriptions: [
      { topic: "$SYS/#", qos: 0 },
      { topic: "+/a/b", qos: 2 },
    ],
  },
  { cmd: "unsubscribe", messageId: 12, unsubscriptions: ["windfarm/#", "a"] },
  { cmd: "pingreq" },
  { cmd: "disconnect" },
];
const FRAMES = VALID.map((packet) => generate(packet));

export function mutated(random: Random): Buffer {
  const below = (limit: number) => Math.floor(random.next() * limit);
  let frame = Buffer.from(FRAMES[below(FRAMES.length)] ?? []);
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(frame.length);
    switch (below(6)) {
      case 0:
        frame[at] = below(256);
        break;
      case 1:
        frame[at] = (frame[at] ?? 0) ^ (1 << below(8));
        break;
      case 2:
        frame[at] = [0, 0x7f, 0x80, 0xff][below(4)] ?? 0;
        break;
      case 3:
        frame = frame.subarray(0, Math.max(1, at));
        break;
      case 4:
        frame = Buffer.concat([frame.subarray(0, at), frame]);
        break;
      default:
        frame = Buffer.concat([frame, Buffer.from([below(256)])]);
    }
  }
  return frame;
}
