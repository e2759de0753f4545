/** Packets that break the protocol: each costs its connection, for a reason, and nobody else's. */

import t from "tap";
import { startBroker as start } from "../helpers/embedded-broker.ts";
import { WireClient } from "../helpers/mqtt-wire.ts";

const TOPIC = "windfarm/T07/power-factor";
const CONNECT = [0x10, 14, 0, 4, ...Buffer.from("MQTT"), 4, 2, 0, 0, 0, 2, 0x61, 0x62];
/** A CONNECT of 3.1.1 with these flags and this payload. */
const connect = (flags: number, payload: readonly number[]) => {
  const body = [0, 4, ...Buffer.from("MQTT"), 4, flags, 0, 60, ...payload];
  return [0x10, body.length, ...body];
};
const malformed: Record<string, { bytes: number[]; reason: string }> = {
  "a packet before CONNECT": { bytes: [0x30, 4, 0, 1, 0x61, 0x62], reason: "malformed" },
  "256 MiB announced before CONNECT": { bytes: [0x10, 0xff, 0xff, 0xff, 0x7f], reason: "packet_too_large" },
  "a length of five bytes": { bytes: [0x10, 0xff, 0xff, 0xff, 0xff, 0x01], reason: "malformed" },
  "256 MiB announced in a PUBLISH": {
    bytes: [...CONNECT, 0x30, 0xff, 0xff, 0xff, 0x7f],
    reason: "packet_too_large",
  },
  "QoS 3": { bytes: [...CONNECT, 0x36, 6, 0, 1, 0x61, 0, 1, 0x62], reason: "malformed" },
  "packet id 0": { bytes: [...CONNECT, 0x32, 6, 0, 1, 0x61, 0, 0, 0x62], reason: "malformed" },
  "an empty topic": { bytes: [...CONNECT, 0x30, 3, 0, 0, 0x62], reason: "malformed" },
  "a wildcard in the topic": { bytes: [...CONNECT, 0x30, 4, 0, 1, 0x2b, 0x62], reason: "malformed" },
  "a topic that is not UTF-8": { bytes: [...CONNECT, 0x30, 4, 0, 1, 0xff, 0x62], reason: "malformed" },
  "a topic longer than the packet": { bytes: [...CONNECT, 0x30, 4, 0, 9, 0x61, 0x62], reason: "malformed" },
  "a publish to $SYS": {
    bytes: [...CONNECT, 0x30, 8, 0, 6, ...Buffer.from("$SYS/a")],
    reason: "reserved_topic",
  },
  "a PUBREL of wrong length": { bytes: [...CONNECT, 0x62, 1, 0], reason: "malformed" },
  "a PUBACK of nothing": { bytes: [...CONNECT, 0x40, 2, 0, 0], reason: "malformed" },
  "a PUBREC of nothing": { bytes: [...CONNECT, 0x50, 2, 0, 0], reason: "malformed" },
  "a PUBREL of nothing": { bytes: [...CONNECT, 0x62, 2, 0, 0], reason: "malformed" },
  "a PUBCOMP of nothing": { bytes: [...CONNECT, 0x70, 2, 0, 0], reason: "malformed" },
  "a SUBSCRIBE without a packet id": {
    bytes: [...CONNECT, 0x82, 6, 0, 0, 0, 1, 0x61, 0],
    reason: "malformed",
  },
  "a SUBSCRIBE without a filter": { bytes: [...CONNECT, 0x82, 2, 0, 1], reason: "malformed" },
  "a SUBSCRIBE for QoS 3": { bytes: [...CONNECT, 0x82, 6, 0, 1, 0, 1, 0x61, 3], reason: "malformed" },
  "a filter with a wildcard inside a level": {
    bytes: [...CONNECT, 0x82, 7, 0, 1, 0, 2, ...Buffer.from("a#"), 0],
    reason: "malformed",
  },
  "a filter with NUL": { bytes: [...CONNECT, 0x82, 6, 0, 1, 0, 1, 0, 0], reason: "malformed" },
  "a filter that is not UTF-8": { bytes: [...CONNECT, 0x82, 6, 0, 1, 0, 1, 0xff, 0], reason: "malformed" },
  "an UNSUBSCRIBE without a packet id": {
    bytes: [...CONNECT, 0xa2, 5, 0, 0, 0, 1, 0x61],
    reason: "malformed",
  },
  "an UNSUBSCRIBE without a filter": { bytes: [...CONNECT, 0xa2, 2, 0, 1], reason: "malformed" },
  "an UNSUBSCRIBE from a filter with NUL": {
    bytes: [...CONNECT, 0xa2, 5, 0, 1, 0, 1, 0],
    reason: "malformed",
  },
  "bytes behind a CONNECT's fields": { bytes: connect(2, [0, 1, 0x61, 0x62]), reason: "malformed" },
  "a CONNECT with a password and no user": {
    bytes: connect(0x42, [0, 1, 0x61, 0, 1, 0x62]),
    reason: "malformed",
  },
  "a CONNECT whose will asks for QoS 3": {
    bytes: connect(0x1e, [0, 1, 0x61, 0, 1, 0x62, 0, 1, 0x63]),
    reason: "malformed",
  },
  "a CONNECT whose user name holds NUL": { bytes: connect(0x82, [0, 1, 0x61, 0, 1, 0]), reason: "malformed" },
  "a PINGREQ with flags": { bytes: [...CONNECT, 0xc1, 0], reason: "malformed" },
  "a PINGREQ with a body": { bytes: [...CONNECT, 0xc0, 1, 0], reason: "malformed" },
};
for (const [what, { bytes, reason }] of Object.entries(malformed)) {
  t.test(`${what} costs the connection`, async (t) => {
    const { broker, intake, port } = await start(t, {}, true);
    const client = await WireClient.open(port);
    client.socket.write(Buffer.from(bytes));
    await client.closed();
    t.strictSame(broker.stats().closedConnections, { [reason]: 1 });
    t.strictSame(intake.taken, []);
    const other = await WireClient.connected(port);
    await other.ping();
  });
}

for (const [what, bytes] of Object.entries({ flags: [0xe1, 0], "a body": [0xe0, 1, 0] }))
  t.test(`a DISCONNECT with ${what} does not void the will`, async (t) => {
    const { intake, port } = await start(t, {}, true);
    const will = { topic: TOPIC, payload: Buffer.from("gone"), qos: 1 as const, retain: false };
    const client = await WireClient.connected(port, { will });
    client.socket.write(Buffer.from(bytes));
    await client.closed();
    await intake.until(1);
    t.match(intake.taken, [{ topic: TOPIC, payload: "gone" }]);
  });
