/** Who is let in, in whose place, and what becomes of a client's will. */

import { Aedes } from "aedes";
import { connectAsync } from "mqtt";
import { type Packet, parser } from "mqtt-packet";
import t from "tap";
import { ONLY_MQTT_3 } from "../../agent/collect/connack.ts";
import { hashPassword } from "../../agent/collect/passwords.ts";
import { startBroker as start } from "../helpers/embedded-broker.ts";
import { WireClient } from "../helpers/mqtt-wire.ts";

const TOPIC = "windfarm/T07/power-factor";
const SERVER_UNAVAILABLE = 3;
const IDENTIFIER_REJECTED = 2;

const answer = (client: WireClient) =>
  client.received.flatMap((packet) => (packet.cmd === "connack" ? [packet.returnCode] : []));

t.test("a full house turns the next one away and keeps those inside", async (t) => {
  const { broker, port } = await start(t, { maxConnections: 3 });
  const clients = [];
  for (let i = 0; i < 3; i++) clients.push(await WireClient.connected(port));
  const fourth = await WireClient.connected(port);
  await fourth.closed();
  t.strictSame(answer(fourth), [SERVER_UNAVAILABLE]);
  t.strictSame(broker.stats().closedConnections, { too_many_connections: 1 });
  for (const client of clients) await client.ping();
});

t.test("many at the door at once: no more get in than there is room for", async (t) => {
  const { port } = await start(t, { maxConnections: 2 });
  const clients = await Promise.all(Array.from({ length: 10 }, () => WireClient.open(port)));
  for (const client of clients) client.connect();
  for (const client of clients) await client.until((packets) => packets.length > 0);
  const answers = clients.flatMap(answer);
  t.equal(answers.filter((code) => code === 0).length, 2);
  t.equal(answers.filter((code) => code === SERVER_UNAVAILABLE).length, 8);
});

t.test("in a full house a client takes the place of its own earlier connection", async (t) => {
  const { port } = await start(t, { maxConnections: 1 });
  const before = await WireClient.connected(port, { clientId: "T07" });
  const after = await WireClient.connected(port, { clientId: "T07" });
  await before.closed();
  t.strictSame(answer(after), [0]);
  await after.ping();
});

t.test(
  "a client that dies while it takes its earlier connection's place leaves nothing behind",
  async (t) => {
    const listened = t.capture(Aedes.prototype, "listen", Aedes.prototype.listen);
    const { broker, port } = await start(t);
    const aedes = listened()[0]?.receiver;
    if (!(aedes instanceof Aedes)) throw new TypeError("the broker has no aedes");
    const greet = aedes.preConnect;
    for (let n = 0; n < 20; n++) {
      const before = await WireClient.connected(port, { clientId: `T${n}` });
      before.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "windfarm/#", qos: 0 }] });
      await before.until(() => before.ids("suback").length === 1);
      const after = await WireClient.open(port);
      // It learns of the reset in the next round of the event loop, when `after` has its seat.
      aedes.preConnect = (...args) => {
        greet(...args);
        after.socket.resetAndDestroy();
      };
      after.connect({ clientId: `T${n}` });
      await before.closed();
      aedes.preConnect = greet;
    }
    const last = await WireClient.connected(port, { clientId: "last" });
    while (broker.stats().connections > 1) await last.ping();
    await last.ping();
    t.equal(Object.keys(Reflect.get(aedes, "clients")).length, 1);
    t.equal(aedes.connectedClients, 1);
    t.strictSame(broker.stats().closedConnections, {}, "and none of them was closed for a reason of ours");
  },
);

t.test("a client id is its user's: another user can't throw its client out", async (t) => {
  const password = await hashPassword("secret");
  const users = ["t07", "t08"].map((name) => `  - { name: ${name}, password: ${password} }`);
  const folder = t.testdir({ "users.yaml": ["users:", ...users].join("\n") });
  const { broker, port } = await start(t, { usersFile: `${folder}/users.yaml` });
  const as = (username: string) => ({ clientId: "one", username, password: Buffer.from("secret") });
  const owner = await WireClient.connected(port, as("t07"));
  const other = await WireClient.connected(port, as("t08"));
  await other.closed();
  t.strictSame(answer(other), [IDENTIFIER_REJECTED]);
  t.strictSame(broker.stats().closedConnections, { client_id_taken: 1 });
  await owner.ping();
  const unfitWill = { topic: "$SYS/x", payload: Buffer.from("gone"), qos: 1 as const, retain: false };
  await (await WireClient.connected(port, { ...as("t07"), will: unfitWill })).closed();
  t.strictSame(broker.stats().closedConnections, { client_id_taken: 1, bad_will: 1 });
  await owner.ping();
  owner.socket.destroy();
  await owner.closed();
});

const will = (retain: boolean) => ({ topic: TOPIC, payload: Buffer.from("gone"), qos: 1 as const, retain });

t.test("a DISCONNECT voids the will, also while readings before it wait for the disk", async (t) => {
  const { broker, intake, port } = await start(t);
  const client = await WireClient.connected(port, { will: will(false) });
  client.publish(TOPIC, "one", 1);
  client.send({ cmd: "disconnect" });
  client.socket.end();
  await intake.until(1);
  // The end of the stream comes behind the DISCONNECT; a client of its own goes through the same loop after it.
  await (await WireClient.connected(port)).ping();
  intake.taken[0]?.stored();
  await client.closed();
  while (broker.stats().connections > 1) await (await WireClient.connected(port)).ping();
  t.strictSame(
    intake.taken.map(({ payload }) => payload),
    ["one"],
  );
});

t.test("a DISCONNECT voids the will, also where a reset follows it", async (t) => {
  const { broker, intake, port } = await start(t);
  const client = await WireClient.connected(port, { will: will(false) });
  client.publish(TOPIC, "one", 1);
  client.send({ cmd: "disconnect" });
  await intake.until(1);
  client.socket.resetAndDestroy();
  const other = await WireClient.connected(port);
  while (broker.stats().connections > 1) await other.ping();
  await other.ping();
  t.strictSame(
    intake.taken.map(({ payload }) => payload),
    ["one"],
  );
});

t.test("a will is never retained", async (t) => {
  const { intake, port } = await start(t, {}, true);
  const client = await WireClient.connected(port, { will: will(true) });
  client.socket.resetAndDestroy();
  await intake.until(1);
  const late = await WireClient.connected(port);
  late.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "windfarm/#", qos: 0 }] });
  await late.until(() => late.ids("suback").length === 1);
  await late.ping();
  t.strictSame(late.ids("publish"), []);
});

const rawConnect = (version: number, name = "MQTT") => {
  const properties = version === 5 ? [0] : [];
  const body = [0, name.length, ...Buffer.from(name), version, 2, 0, 0, ...properties, 0, 2, 0x61, 0x62];
  return Buffer.from([0x10, body.length, ...body]);
};

t.test("a client id of MQTT 3.1 has 23 characters at most", async (t) => {
  const { broker, port } = await start(t);
  const connected = async (clientId: string) => {
    const client = await WireClient.open(port);
    client.send({ cmd: "connect", protocolId: "MQIsdp", protocolVersion: 3, clean: true, clientId });
    await client.until((packets) => packets.length > 0);
    return answer(client);
  };
  t.strictSame(await connected("x".repeat(23)), [0]);
  t.strictSame(await connected("x".repeat(24)), [IDENTIFIER_REJECTED]);
  t.strictSame(broker.stats().closedConnections, { bad_client_id: 1 });
});

t.test("a client of MQTT 5 is told in its own words to speak 3.1.1", async (t) => {
  const { broker, port } = await start(t);
  const client = await WireClient.open(port);
  const answers: Buffer[] = [];
  client.socket.on("data", (chunk: Buffer) => answers.push(chunk));
  client.socket.write(rawConnect(5));
  await client.closed();
  const wire = parser({ protocolVersion: 5 });
  const packets: Packet[] = [];
  wire.on("packet", (packet) => packets.push(packet));
  wire.parse(Buffer.concat(answers));
  t.match(packets, [{ cmd: "connack", reasonCode: 0x84, properties: { reasonString: ONLY_MQTT_3 } }]);
  t.strictSame(broker.stats().closedConnections, { unsupported_version: 1 });
});

const SPOKEN = [3, 4, 0x83, 0x84];

for (const name of ["MQTT", "MQIsdp"])
  t.test(`a version of ${name} that there is not is answered with return code 1`, async (t) => {
    const { broker, port } = await start(t);
    const unknown = Array.from({ length: 256 }, (_, version) => version).filter(
      (version) => version !== 5 && !SPOKEN.includes(version),
    );
    for (const version of unknown) {
      const client = await WireClient.open(port);
      client.socket.write(rawConnect(version, name));
      await client.closed();
      if (answer(client)[0] !== 1) t.fail(`version ${version} got no answer`);
    }
    t.strictSame(broker.stats().closedConnections, { unsupported_version: unknown.length });
    for (const version of SPOKEN) {
      const client = await WireClient.open(port);
      client.socket.write(rawConnect(version, name));
      await client.until((packets) => packets.length > 0);
      t.strictSame(answer(client), [0], `version ${version} is let in`);
    }
  });

t.test("what is no CONNECT of any version is malformed, and gets no answer", async (t) => {
  const { broker, port } = await start(t);
  const bodies = [
    [],
    [0],
    [0, 4],
    [0, 4, ...Buffer.from("MQTT")],
    [0, 4, ...Buffer.from("MQTX"), 6, 2, 0, 0],
  ];
  for (const body of bodies) {
    const client = await WireClient.open(port);
    client.socket.write(Buffer.from([0x10, body.length, ...body]));
    await client.closed();
    t.strictSame(client.received, []);
  }
  t.strictSame(broker.stats().closedConnections, { malformed: bodies.length });
});

t.test("a refused subscription is logged for who looks for it", async (t) => {
  const password = await hashPassword("secret");
  const user = `  - { name: t07, password: ${password}, subscribe: ["windfarm/T07/+"] }`;
  const folder = t.testdir({ "users.yaml": `users:\n${user}\n` });
  const { log, port } = await start(t, { usersFile: `${folder}/users.yaml` }, true, "debug");
  const client = await WireClient.connected(port, { username: "t07", password: Buffer.from("secret") });
  const topics = ["windfarm/T07/+", "windfarm/#", `windfarm/T07/${"x".repeat(1024)}`];
  const subscriptions = topics.map((topic) => ({ topic, qos: 0 as const }));
  client.send({ cmd: "subscribe", messageId: 1, subscriptions });
  await client.until(() => client.ids("suback").length === 1);
  t.match(
    client.received.find(({ cmd }) => cmd === "suback"),
    { granted: [0, 0x80, 0x80] },
  );
  t.match(log, [
    { msg: "subscription refused", user: "t07", filter: topics[1], reason: "not allowed" },
    { msg: "subscription refused", user: "t07", filter: topics[2], reason: "too long" },
  ]);
});

t.test("mqtt.js with MQTT 5 learns why it is refused", async (t) => {
  const { port } = await start(t);
  const options = { protocolVersion: 5, reconnectPeriod: 0 } as const;
  await t.rejects(connectAsync(`mqtt://127.0.0.1:${port}`, options), { code: 0x84 });
});

for (const topic of ["windfarm/+/power-factor", "windfarm/#", "$SYS/broker/x", "a\u0007b", ""]) {
  t.test(`a will on ${JSON.stringify(topic)} is refused with its CONNECT`, async (t) => {
    const { broker, intake, port } = await start(t, {}, true);
    const client = await WireClient.open(port);
    const bytes = Buffer.from(topic);
    const body = [
      0,
      4,
      ...Buffer.from("MQTT"),
      4,
      0x0e,
      0,
      0,
      0,
      1,
      0x61,
      0,
      bytes.length,
      ...bytes,
      0,
      1,
      0x77,
    ];
    client.socket.write(Buffer.from([0x10, body.length, ...body]));
    await client.closed();
    t.notOk(answer(client).includes(0), "not let in");
    t.equal(Object.values(broker.stats().closedConnections).length, 1, "and counted");
    t.strictSame(intake.taken, []);
  });
}

t.test("a will on a topic the user may not publish to is refused with its CONNECT", async (t) => {
  const password = await hashPassword("secret");
  const users = [`  - { name: t07, password: ${password}, publish: [windfarm/T07/+] }`];
  const folder = t.testdir({ "users.yaml": ["users:", ...users].join("\n") });
  const { broker, intake, port } = await start(t, { usersFile: `${folder}/users.yaml` }, true);
  const as = (topic: string) => ({
    username: "t07",
    password: Buffer.from("secret"),
    will: { ...will(false), topic },
  });
  const foreign = await WireClient.connected(port, as("windfarm/T08/power-factor"));
  await foreign.closed();
  t.strictSame(answer(foreign), [5]);
  t.strictSame(broker.stats().closedConnections, { bad_will: 1 });
  const own = await WireClient.connected(port, as(TOPIC));
  t.strictSame(answer(own), [0]);
  own.socket.resetAndDestroy();
  await intake.until(1);
  t.match(intake.taken, [{ topic: TOPIC, payload: "gone" }]);
});

t.test("when the agent stops, its clients have not vanished: no will is published", async (t) => {
  const { broker, intake, port } = await start(t, {}, true);
  const client = await WireClient.connected(port, { will: will(false) });
  await broker.stop(1000);
  await client.closed();
  t.strictSame(intake.taken, []);
});

t.test("a client's packet that only a server sends costs the connection, a second CONNECT too", async (t) => {
  const { broker, port } = await start(t);
  for (const packet of [[0x20, 2, 0, 0], [0x90, 3, 0, 1, 0], [...rawConnect(4)], [0xf0, 0]]) {
    const client = await WireClient.connected(port);
    client.socket.write(Buffer.from(packet));
    await client.closed();
  }
  t.strictSame(broker.stats().closedConnections, { malformed: 4 });
});

t.test("acknowledgements nobody waits for are let pass, and a PUBREC gets its PUBREL", async (t) => {
  const { broker, port } = await start(t);
  const client = await WireClient.connected(port);
  for (const header of [0x40, 0x50, 0x70]) client.socket.write(Buffer.from([header, 2, 0, 9]));
  await client.ping();
  t.strictSame(client.ids("pubrel"), [9]);
  t.strictSame(broker.stats().closedConnections, {});
  for (const bytes of [
    [0x42, 2, 0, 9],
    [0x50, 1, 9],
    [0x7f, 2, 0, 9],
  ]) {
    const wrong = await WireClient.connected(port);
    wrong.socket.write(Buffer.from(bytes));
    await wrong.closed();
  }
  t.strictSame(broker.stats().closedConnections, { malformed: 3 });
});

t.test("a SUBSCRIBE of a wrong form is counted as malformed", async (t) => {
  const { broker, port } = await start(t);
  const client = await WireClient.connected(port);
  client.socket.write(Buffer.from([0x82, 6, 0, 1, 0, 1, 0x23, 3]));
  await client.closed();
  t.strictSame(broker.stats().closedConnections, { malformed: 1 });
});
