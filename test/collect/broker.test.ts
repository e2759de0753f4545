import { connectAsync } from "mqtt";
import t from "tap";
import { hashPassword } from "../../agent/collect/passwords.ts";
import { startBroker as start } from "../helpers/embedded-broker.ts";
import { WireClient } from "../helpers/mqtt-wire.ts";

const TOPIC = "windfarm/T07/power-factor";

t.test("a PUBACK leaves only after the reading is stored", async (t) => {
  const { intake, port } = await start(t);
  const client = await WireClient.connected(port);
  client.publish(TOPIC, "one", 1);
  await intake.until(1);
  await client.ping();
  t.strictSame(client.ids("puback"), [], "nothing is acknowledged while nothing is stored");
  intake.taken[0]?.stored();
  await client.until(() => client.ids("puback").length === 1);
  t.strictSame(client.ids("puback"), [1]);
  t.match(intake.taken, [{ topic: TOPIC, payload: "one" }]);
});

t.test("acknowledgements keep the order of the publishes, QoS 0 among them unanswered", async (t) => {
  const { intake, port } = await start(t);
  const client = await WireClient.connected(port);
  for (let id = 1; id <= 5; id++) {
    client.publish(TOPIC, `r${id}`, id);
    client.publish(TOPIC, "best effort", 0, 0);
  }
  await intake.until(10);
  for (const { stored } of intake.taken) stored();
  await client.until(() => client.ids("puback").length === 5);
  t.strictSame(client.ids("puback"), [1, 2, 3, 4, 5]);
});

t.test("QoS 2 is received after storage and completed on release", async (t) => {
  const { intake, port } = await start(t);
  const client = await WireClient.connected(port);
  client.publish(TOPIC, "two", 9, 2);
  await intake.until(1);
  await client.ping();
  t.strictSame(client.ids("pubrec"), []);
  intake.taken[0]?.stored();
  await client.until(() => client.ids("pubrec").length === 1);
  client.send({ cmd: "pubrel", messageId: 9 });
  await client.until(() => client.ids("pubcomp").length === 1);
  t.strictSame(client.ids("pubcomp"), [9]);
});

t.test("a reading that can't be stored costs the connection, without a PUBACK", async (t) => {
  const { broker, intake, port } = await start(t);
  const client = await WireClient.connected(port);
  client.publish(TOPIC, "one", 1);
  await intake.until(1);
  intake.taken[0]?.stored(new Error("no room"));
  await client.closed();
  t.strictSame(client.ids("puback"), []);
  t.strictSame(broker.stats().closedConnections, { store_failed: 1 });
});

t.test("nothing more is taken of a chunk in whose middle storing failed", async (t) => {
  const { broker, intake, port } = await start(t);
  const client = await WireClient.connected(port);
  t.intercept(intake, "accept", {
    value: (...[topic, payload, dup, stored]: Parameters<typeof intake.accept>) => {
      intake.taken.push({ topic, payload: Buffer.from(payload).toString(), dup, stored });
      stored(new Error("no room"));
      return true;
    },
  });
  const publish = [0x32, 8, 0, 3, ...Buffer.from("a/b"), 0, 1, 0x78];
  client.socket.write(Buffer.from([...publish, ...publish, ...publish]));
  await client.closed();
  t.equal(intake.taken.length, 1);
  t.strictSame(broker.stats().closedConnections, { store_failed: 1 });
});

t.test("a client that publishes and disconnects at once still gets its PUBACK", async (t) => {
  const { intake, port } = await start(t);
  const client = await WireClient.connected(port);
  client.publish(TOPIC, "last words", 3);
  client.send({ cmd: "disconnect" });
  await intake.until(1);
  intake.taken[0]?.stored();
  await client.closed();
  t.strictSame(client.ids("puback"), [3]);
});

t.test("a client may publish behind its CONNECT without waiting", async (t) => {
  const { intake, port } = await start(t, {}, true);
  const client = await WireClient.open(port);
  client.connect();
  client.publish(TOPIC, "eager", 1);
  await intake.until(1);
  await client.until(() => client.ids("puback").length === 1);
  t.equal(client.received[0]?.cmd, "connack");
});

t.test("an unread client is held back, not dropped: every publish is acknowledged in the end", async (t) => {
  const { intake, port } = await start(t);
  const client = await WireClient.connected(port);
  const many = 5000;
  for (let id = 1; id <= many; id++) client.publish(TOPIC, "x".repeat(100), id);
  let stored = 0;
  while (stored < many) {
    await intake.until(stored + 1);
    t.ok(intake.taken.length - stored <= 1024, "no more than the limit is open");
    while (stored < intake.taken.length) intake.taken[stored++]?.stored();
  }
  await client.until(() => client.ids("puback").length === many);
  t.strictSame(
    client.ids("puback"),
    Array.from({ length: many }, (_, index) => index + 1),
  );
});

t.test("a client's last will is stored like any other message", async (t) => {
  const { intake, port } = await start(t, {}, true);
  const will = { topic: TOPIC, payload: Buffer.from("gone"), qos: 1 as const, retain: false };
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { will, reconnectPeriod: 0 });
  client.stream.destroy();
  await intake.until(1);
  t.match(intake.taken, [{ topic: TOPIC, payload: "gone" }]);
});

t.test("subscribers see readings after they are stored", async (t) => {
  const { intake, port } = await start(t);
  const subscriber = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  t.teardown(() => subscriber.endAsync(true));
  await subscriber.subscribeAsync("windfarm/#", { qos: 1 });
  const seen: string[] = [];
  const message = new Promise<void>((resolve) =>
    subscriber.on("message", (_topic, payload) => {
      seen.push(payload.toString());
      resolve();
    }),
  );
  const client = await WireClient.connected(port);
  client.publish(TOPIC, "look", 1);
  await intake.until(1);
  await client.ping();
  t.strictSame(seen, []);
  intake.taken[0]?.stored();
  await message;
  t.strictSame(seen, ["look"]);
});

t.test("a subscriber that stops reading does not slow the intake", async (t) => {
  const { intake, port } = await start(t, {}, true);
  const stuck = await WireClient.connected(port);
  stuck.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "windfarm/#", qos: 0 }] });
  await stuck.until(() => stuck.ids("suback").length === 1);
  stuck.socket.pause();
  const client = await WireClient.connected(port);
  const many = 3000;
  for (let id = 1; id <= many; id++) client.publish(TOPIC, "x".repeat(4000), id);
  await client.until(() => client.ids("puback").length === many);
  t.equal(intake.taken.length, many);
});

t.test("packets cut anywhere are put together again", async (t) => {
  const { intake, port } = await start(t, {}, true);
  const client = await WireClient.connected(port);
  const topic = Buffer.from(TOPIC);
  const body = [0, topic.length, ...topic, 0, 1, ...Buffer.from("hello")];
  for (const byte of [0x32, body.length, ...body]) client.socket.write(Buffer.from([byte]));
  await client.until(() => client.ids("puback").length === 1);
  t.match(intake.taken, [{ topic: TOPIC, payload: "hello" }]);
});

t.test("control characters in a topic reach the intake, which knows a reason for them", async (t) => {
  const { intake, port } = await start(t, {}, true);
  const client = await WireClient.connected(port);
  const topic = Buffer.from("a\u0000b");
  client.socket.write(Buffer.from([0x32, 8, 0, 3, ...topic, 0, 1, 0x78]));
  await client.until(() => client.ids("puback").length === 1);
  t.equal(intake.taken[0]?.topic, "a\u0000b");
});

t.test("an unfit client id is refused with its return code", async (t) => {
  const { broker, port } = await start(t);
  const client = await WireClient.open(port);
  client.connect({ clientId: "a\u0007b" });
  await client.closed();
  t.match(client.received, [{ cmd: "connack", returnCode: 2 }]);
  t.strictSame(broker.stats().closedConnections, { bad_client_id: 1 });
});

t.test("clocks: no CONNECT, a packet that never ends, a client that fell silent", async (t) => {
  const { broker, port, clock } = await start(t);
  const idle = await WireClient.open(port);
  const slow = await WireClient.connected(port);
  const silent = await WireClient.connected(port, { keepalive: 60 });
  const patient = await WireClient.connected(port);
  slow.socket.write(Buffer.from([0x32, 100, 0]));
  await patient.ping();
  await silent.ping();
  clock.ms += 11_000;
  await idle.closed();
  t.strictSame(broker.stats().closedConnections, { connect_timeout: 1 });
  clock.ms += 80_000;
  await slow.closed();
  await silent.closed();
  t.strictSame(broker.stats().closedConnections, {
    connect_timeout: 1,
    packet_timeout: 1,
    keepalive_timeout: 1,
  });
  await patient.ping();
});

t.test("strangers never crowd out a client: the oldest pending connection makes room", async (t) => {
  const { broker, port } = await start(t);
  const strangers = await Promise.all(Array.from({ length: 150 }, () => WireClient.open(port)));
  const client = await WireClient.connected(port);
  await client.ping();
  t.ok((broker.stats().closedConnections.too_many_connections ?? 0) >= 22);
  t.ok(broker.stats().connections <= 130);
  for (const stranger of strangers) stranger.socket.destroy();
});

t.test("users: who may connect, publish and subscribe", async (t) => {
  const folder = t.testdir({
    "users.yaml": [
      "users:",
      "  - name: t07",
      `    password: ${await hashPassword("secret")}`,
      "    publish: [windfarm/T07/+]",
      "    subscribe: [windfarm/T07/#]",
    ].join("\n"),
  });
  const { broker, port } = await start(t, { usersFile: `${folder}/users.yaml` }, true);
  const log = (username?: string, password?: string) =>
    connectAsync(`mqtt://127.0.0.1:${port}`, {
      reconnectPeriod: 0,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
  await t.rejects(log(), /Not authorized/);
  await t.rejects(log("t07", "wrong"), /Not authorized/);
  await t.rejects(log("nobody", "secret"), /Not authorized/);
  const client = await log("t07", "secret");
  await client.publishAsync(TOPIC, "mine", { qos: 1 });
  const granted = await client.subscribeAsync({ "windfarm/T07/+": { qos: 0 } });
  t.match(granted, [{ qos: 0 }]);
  await t.rejects(client.subscribeAsync("windfarm/#"), "a wider filter is refused");
  client.publish("windfarm/T08/power-factor", "not mine", { qos: 1 });
  await new Promise((resolve) => client.once("close", () => resolve(undefined)));
  t.strictSame(broker.stats().closedConnections, { refused_login: 3, not_authorized: 1 });
  t.strictSame(broker.stats().refusedLogins, { "127.0.0.1": 3 });
  client.end(true);
});

t.test("an address others can reach needs credentials first", async (t) => {
  await t.rejects(start(t, { host: "0.0.0.0" }), { code: "mqtt.exposed", exitCode: 78 });
});

t.test("a port in use is named", async (t) => {
  const { port } = await start(t);
  await t.rejects(start(t, { port }), { code: "mqtt.port_in_use", message: new RegExp(String(port)) });
});
