import fc from "fast-check";
import mqttPacket, { type Packet } from "mqtt-packet";
import t from "tap";
import { PacketReader } from "../../agent/collect/subscriber-packets.ts";

type Seen = [string, string, number, number] | [string, number] | [string, string];

const CONNACK: Packet = { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false };

function reader(version: 4 | 5, maxPayloadBytes = 1000) {
  const seen: Seen[] = [];
  const packets = new PacketReader(
    {
      publish: (topic, payload, qos, id) => seen.push([topic, payload.toString("hex"), qos, id]),
      pubrel: (id) => seen.push(["pubrel", id]),
      other: (packet) => seen.push(["other", packet.toString("hex")]),
    },
    maxPayloadBytes,
    version,
  );
  packets.feed(mqttPacket.generate(CONNACK, { protocolVersion: version }));
  seen.length = 0;
  return { seen, packets };
}

const publishes = fc.record({
  cmd: fc.constant("publish" as const),
  topic: fc
    .string({ minLength: 1, maxLength: 200, unit: "grapheme" })
    .filter((topic) => !/[+#\0]/.test(topic)),
  payload: fc.uint8Array({ maxLength: 900 }).map((bytes) => Buffer.from(bytes)),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  messageId: fc.integer({ min: 1, max: 0xffff }),
  dup: fc.constant(false),
  retain: fc.boolean(),
  properties: fc.constantFrom({}, { contentType: "x".repeat(130) }),
});
const others = fc.constantFrom<Packet>(
  { cmd: "pingresp" },
  { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: true },
  { cmd: "suback", messageId: 7, granted: [1] },
);
const pubrels = fc.record({
  cmd: fc.constant("pubrel" as const),
  messageId: fc.integer({ min: 1, max: 0xffff }),
});

t.test("whatever way the bytes are cut, the packets are those the broker wrote", async (t) => {
  const cases = fc.record({
    version: fc.constantFrom(4 as const, 5 as const),
    sent: fc.array(fc.oneof(publishes, others, pubrels), { minLength: 1, maxLength: 8 }),
    cuts: fc.array(fc.nat(6000), { maxLength: 12 }),
  });
  fc.assert(
    fc.property(cases, ({ version, sent, cuts }) => {
      const options = { protocolVersion: version };
      const bytes = sent.map((packet) => mqttPacket.generate(packet, options));
      const expected = sent.map((packet, index): Seen => {
        if (packet.cmd === "pubrel") return ["pubrel", packet.messageId ?? 0];
        if (packet.cmd !== "publish") return ["other", bytes[index]!.toString("hex")];
        const payload = Buffer.from(packet.payload).toString("hex");
        return [packet.topic, payload, packet.qos, packet.qos === 0 ? 0 : (packet.messageId ?? 0)];
      });
      const stream = Buffer.concat(bytes);
      const { seen, packets } = reader(version);
      const places = [0, ...cuts.map((cut) => cut % stream.length).sort((a, b) => a - b), stream.length];
      for (let index = 1; index < places.length; index++)
        packets.feed(stream.subarray(places[index - 1], places[index]));
      t.strictSame(seen, expected);
    }),
    { numRuns: 150 },
  );
});

t.test("a byte at a time is enough", async (t) => {
  const { seen, packets } = reader(5);
  const packet: Packet = {
    cmd: "publish",
    topic: "a/b",
    payload: "{}",
    qos: 1,
    messageId: 9,
    dup: false,
    retain: false,
  };
  for (const byte of mqttPacket.generate(packet, { protocolVersion: 5 })) packets.feed(Buffer.from([byte]));
  t.strictSame(seen, [["a/b", "7b7d", 1, 9]]);
});

t.test("an oversized payload is cut, and the packets after it are whole", async (t) => {
  const { seen, packets } = reader(4, 10);
  const big: Packet = {
    cmd: "publish",
    topic: "a/b",
    payload: Buffer.alloc(3_000_000, 0x78),
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false,
  };
  const after: Packet = { ...big, payload: "{}", messageId: 2 };
  const stream = Buffer.concat([mqttPacket.generate(big), mqttPacket.generate(after)]);
  for (let at = 0; at < stream.length; at += 65_536) packets.feed(stream.subarray(at, at + 65_536));
  t.strictSame(seen, [
    ["a/b", "78".repeat(10), 1, 1],
    ["a/b", "7b7d", 1, 2],
  ]);
});

t.test("bytes that are no MQTT end the connection", async (t) => {
  const cases: [string, number[]][] = [
    ["a length of five bytes", [0x30, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ["QoS 3", [0x36, 5, 0, 1, 0x61, 0, 1]],
    ["a topic longer than its packet", [0x30, 3, 0, 9, 0x61]],
    ["no room for the packet id", [0x32, 3, 0, 1, 0x61]],
    ["packet id 0", [0x32, 5, 0, 1, 0x61, 0, 0]],
    ["an empty PUBLISH", [0x30, 0]],
    ["PUBREL without an id", [0x62, 0]],
    ["a CONNACK of 200 MB", [0x20, 0x80, 0x80, 0x80, 0x60]],
  ];
  for (const [name, bytes] of cases) {
    const { packets, seen } = reader(4);
    t.throws(() => packets.feed(Buffer.from(bytes)), { code: "collect.protocol" }, name);
    t.strictSame(seen, []);
  }
});

t.test("what does not begin with CONNACK is told at once", async (t) => {
  const handlers = { publish: () => {}, pubrel: () => {}, other: () => {} };
  for (const text of ["HTTP/1.1 400 Bad Request\r\n", "\x15\x03\x03\x00\x02", "\x32\x06\x00\x01a\x00\x01x"]) {
    const packets = new PacketReader(handlers, 1000, 5);
    t.throws(
      () => packets.feed(Buffer.from(text, "latin1")),
      { code: "collect.protocol" },
      JSON.stringify(text),
    );
  }
});
