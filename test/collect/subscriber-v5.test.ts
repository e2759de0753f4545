/** What aedes can't say: MQTT 5, QoS 2, refusals, silence. A scripted broker says it over a real socket. */

import { once } from "node:events";
import t from "tap";
import { createSubscriber } from "../../agent/collect/subscriber.ts";
import { HELD_OVERHEAD_BYTES, MAX_HELD_BYTES } from "../../agent/collect/subscriber-settings.ts";
import {
  HandTimers,
  HoldingIntake,
  LEVEL,
  PromptIntake,
  recordingLog,
  scriptedBroker,
  settingsFor,
} from "./subscriber-helpers.ts";

const TOPIC = "windfarm/T01/power-factor";
const soon = (ms: number) => ms <= 500;
const CONNECT_TIMEOUT = 10_000;

async function setUp(intake: HoldingIntake, more = {}) {
  const broker = await scriptedBroker();
  const { log, at } = recordingLog();
  const timers = new HandTimers();
  const settings = settingsFor(broker.port, more);
  const subscriber = createSubscriber(settings, intake, { log, after: timers.after, random: () => 1 });
  await subscriber.start();
  const close = async () => {
    const stopping = subscriber.stop(1);
    if (subscriber.stats().connections > 0) timers.fire((ms) => ms === 1);
    await stopping;
    await broker.close();
  };
  /** Waits for the retry that follows an end, and makes it happen. */
  const reconnect = async () => {
    while (!timers.waiting.some(({ ms }) => ms !== CONNECT_TIMEOUT))
      await new Promise((r) => setImmediate(r));
    return timers.fire((ms) => ms !== CONNECT_TIMEOUT);
  };
  return { broker, subscriber, timers, at, close, reconnect };
}

t.test("an MQTT 5 broker is asked for a window of 1024 and a session that stays", async (t) => {
  const { broker, close } = await setUp(new PromptIntake());
  const peer = await broker.next();
  const { connect, subscribe } = await peer.welcome();
  t.match(connect, {
    protocolVersion: 5,
    clean: false,
    clientId: "windfarm-gw-01",
    properties: { receiveMaximum: 1024, sessionExpiryInterval: 0xffff_ffff },
  });
  t.strictSame(
    subscribe.subscriptions.map(({ topic, qos, rh }) => ({ topic, qos, rh })),
    [{ topic: "windfarm/+/+", qos: 1, rh: 1 }],
    "retained messages come with a new subscription only",
  );
  await close();
});

t.test(
  "acknowledgements are sent in the order received, and none before its reading is stored",
  async (t) => {
    const intake = new HoldingIntake();
    const { broker, close } = await setUp(intake);
    const peer = await broker.next();
    await peer.welcome();
    for (const id of [5, 3, 9]) peer.publish(id, TOPIC, String(id));
    const messages = await intake.count(3);
    peer.send({ cmd: "publish", topic: TOPIC, payload: "qos 0", qos: 0, dup: false, retain: false });
    await intake.count(4);
    t.strictSame(peer.waiting, []);
    messages[3]?.stored();
    messages[2]?.stored();
    messages[1]?.stored();
    await new Promise((resolve) => setImmediate(resolve));
    t.strictSame(peer.waiting, []);
    messages[0]?.stored();
    t.strictSame([(await peer.next("puback")).messageId, (await peer.next("puback")).messageId], [5, 3]);
    t.equal((await peer.next("puback")).messageId, 9);
    await close();
  },
);

t.test("QoS 2 is received after the commit and completed at once", async (t) => {
  const intake = new HoldingIntake();
  const { broker, close } = await setUp(intake);
  const peer = await broker.next();
  await peer.welcome();
  peer.publish(77, TOPIC, "{}", 2);
  const [message] = await intake.count(1);
  t.strictSame(peer.waiting, []);
  message?.stored();
  t.equal((await peer.next("pubrec")).messageId, 77);
  peer.send({ cmd: "pubrel", messageId: 77 });
  t.equal((await peer.next("pubcomp")).messageId, 77);
  t.equal(intake.messages.length, 1);
  await close();
});

t.test("an acknowledgement never crosses connections", async (t) => {
  const intake = new HoldingIntake();
  const { broker, close, reconnect } = await setUp(intake);
  const first = await broker.next();
  await first.welcome();
  first.publish(1, TOPIC, "before");
  const [before] = await intake.count(1);
  first.socket.destroy();
  t.ok(soon(await reconnect()));
  const second = await broker.next();
  await second.welcome(true);
  before?.stored();
  second.publish(1, TOPIC, "another reading with the same id");
  const messages = await intake.count(2);
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(second.waiting, [], "id 1 means another reading here");
  messages[1]?.stored();
  t.equal((await second.next("puback")).messageId, 1);
  await close();
});

t.test("a reading that can't be stored is not acknowledged and delivered again", async (t) => {
  const intake = new HoldingIntake();
  const { broker, subscriber, at, close, reconnect } = await setUp(intake);
  const first = await broker.next();
  await first.welcome();
  first.publish(1, TOPIC, "a");
  first.publish(2, TOPIC, "b");
  const messages = await intake.count(2);
  messages[0]?.stored(new Error("the disk refuses"));
  messages[1]?.stored();
  await once(first.socket, "close");
  t.strictSame(first.waiting, [], "neither");
  await reconnect();
  const second = await broker.next();
  await second.welcome(true);
  t.strictSame(subscriber.stats().closedConnections, { not_stored: 1 });
  t.match(at(LEVEL.warn)[0], { code: "collect.not_stored", msg: /the disk refuses/ });
  await close();
});

t.test("a refused subscription is told once, tried again, and the agent is not ready", async (t) => {
  const { broker, subscriber, at, close, reconnect } = await setUp(new PromptIntake());
  for (let times = 0; times < 3; times++) {
    const peer = await broker.next();
    await peer.next("connect");
    peer.send({ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false });
    const { messageId } = await peer.next("subscribe");
    peer.send({ cmd: "suback", messageId: messageId ?? 0, granted: [135] });
    await once(peer.socket, "close");
    t.equal(subscriber.stats().ready, false);
    await reconnect();
  }
  const told = at(LEVEL.warn).filter(({ code }) => code === "collect.subscription_refused");
  t.equal(told.length, 1);
  t.match(told[0], { hint: /windfarm\/\+\/\+/ });
  await close();
});

t.test("a broker that grants only QoS 0 makes the agent not ready, and says so as an error", async (t) => {
  const { broker, subscriber, at, close } = await setUp(new PromptIntake());
  const peer = await broker.next();
  await peer.next("connect");
  peer.send({ cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false });
  const { messageId } = await peer.next("subscribe");
  peer.send({ cmd: "suback", messageId: messageId ?? 0, granted: [0] });
  while (at(LEVEL.error).length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.match(at(LEVEL.error)[0], { msg: /QoS 0/ });
  t.match(subscriber.stats(), { ready: false, connections: 1 });
  await close();
});

t.test("a session taken over three times is another client with our id, told once as an error", async (t) => {
  const { broker, subscriber, at, close, reconnect } = await setUp(new PromptIntake());
  const delays: number[] = [];
  for (let times = 0; times < 5; times++) {
    const peer = await broker.next();
    await peer.welcome(times > 0);
    peer.send({ cmd: "disconnect", reasonCode: 142 });
    await once(peer.socket, "close");
    delays.push(await reconnect());
  }
  t.equal(at(LEVEL.error).length, 1);
  t.match(at(LEVEL.error)[0], { code: "collect.two_clients_one_id", msg: /windfarm-gw-01/, hint: String });
  t.strictSame(delays, [250, 500, 1000, 2000, 4000]);
  t.strictSame(subscriber.stats().closedConnections, { taken_over: 5 });
  await close();
});

t.test("a lost session is an error: what the broker had queued is gone", async (t) => {
  const { broker, at, close, reconnect } = await setUp(new PromptIntake());
  const first = await broker.next();
  await first.welcome();
  first.socket.destroy();
  await reconnect();
  const second = await broker.next();
  await second.welcome(false);
  t.match(at(LEVEL.error), [{ msg: /lost the session/, hint: /persistence/ }]);
  await close();
});

t.test("an oversized reading is cut, handed over and acknowledged, and does not come for ever", async (t) => {
  const intake = new PromptIntake();
  const { broker, close } = await setUp(intake, { maxPacketBytes: 1000 });
  const peer = await broker.next();
  await peer.welcome();
  peer.publish(1, TOPIC, `{"id":"${"x".repeat(5_000_000)}"}`);
  peer.publish(2, TOPIC, "{}");
  t.equal((await peer.next("puback")).messageId, 1);
  t.equal((await peer.next("puback")).messageId, 2);
  t.strictSame(
    intake.messages.map(({ payload }) => payload.length),
    [1000, 2],
  );
  await close();
});

t.test("reading stops while too much waits for the disk, and goes on afterwards", async (t) => {
  const intake = new HoldingIntake();
  const { broker, close } = await setUp(intake);
  const peer = await broker.next();
  await peer.welcome();
  const payload = "x".repeat(60_000);
  const enough = Math.ceil(MAX_HELD_BYTES / payload.length);
  const twice = 4 * enough;
  for (let id = 1; id <= twice; id++) peer.publish(id, TOPIC, payload);
  await intake.count(enough);
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
  t.ok(intake.messages.length < enough + 10, `${intake.messages.length} of ${twice} were read`);
  let done = 0;
  while (done < twice) {
    await intake.count(done + 1);
    while (done < intake.messages.length) intake.messages[done++]?.stored();
  }
  for (let id = 1; id <= twice; id++) await peer.next("puback");
  t.equal(intake.messages.length, twice);
  await close();
});

t.test("tiny readings are held in a bounded number, and each gets its own acknowledgement", async (t) => {
  const intake = new HoldingIntake();
  const { broker, close } = await setUp(intake);
  const peer = await broker.next();
  await peer.welcome();
  const most = MAX_HELD_BYTES / HELD_OVERHEAD_BYTES;
  const idOf = (index: number) => (index % 0xffff) + 1;
  const many = 3 * most;
  for (let index = 0; index < many; index++) peer.publish(idOf(index), TOPIC, "");
  await intake.count(most);
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
  t.ok(intake.messages.length < 2 * most, `${intake.messages.length} of ${many} were read`);
  let done = 0;
  while (done < many) {
    await intake.count(done + 1);
    while (done < intake.messages.length) intake.messages[done++]?.stored();
  }
  let wrong = 0;
  for (let index = 0; index < many; index++)
    if ((await peer.next("puback")).messageId !== idOf(index)) wrong++;
  t.equal(wrong, 0);
  await close();
});

t.test(
  "the acknowledgements before an orderly stop reach the broker, whatever it is still sending",
  async (t) => {
    const intake = new PromptIntake();
    const { broker, subscriber, close } = await setUp(intake);
    const peer = await broker.next();
    await peer.welcome();
    let broken: Error | undefined;
    peer.socket.on("error", (error) => {
      broken = error;
    });
    const payload = "x".repeat(1000);
    for (let id = 1; id <= 30_000; id++) peer.publish(id, TOPIC, payload);
    await intake.count(1000);
    const stopping = subscriber.stop(CONNECT_TIMEOUT);
    const acknowledged = await peer.countUntil("puback", "disconnect");
    peer.socket.end();
    await stopping;
    t.equal(broken, undefined, "no reset");
    t.ok(acknowledged < 30_000, `stopped after ${acknowledged} of 30000`);
    t.equal(acknowledged, intake.messages.length, "every reading taken was acknowledged");
    await close();
  },
);

t.test("a broker that accepts the socket and says nothing is given up", async (t) => {
  const { broker, subscriber, timers, close, reconnect } = await setUp(new PromptIntake());
  const peer = await broker.next();
  await peer.next("connect");
  timers.fire((ms) => ms === CONNECT_TIMEOUT);
  await once(peer.socket, "close");
  await reconnect();
  await (await broker.next()).next("connect");
  t.strictSame(subscriber.stats().closedConnections, { connect_timeout: 1 });
  await close();
});

t.test("a broker that no longer answers pings is given up", async (t) => {
  const { broker, subscriber, close } = await setUp(new PromptIntake(), { keepaliveMs: 1000 });
  const peer = await broker.next();
  await peer.welcome();
  await peer.next("pingreq");
  await once(peer.socket, "close");
  t.strictSame(subscriber.stats().closedConnections, { keepalive_timeout: 1 });
  await close();
});

t.test("what speaks no MQTT is told apart from a broker that is away", async (t) => {
  const { broker, at, close } = await setUp(new PromptIntake());
  const peer = await broker.next();
  peer.socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  await once(peer.socket, "close");
  while (at(LEVEL.warn).length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.match(at(LEVEL.warn)[0], { code: "collect.protocol", hint: /MQTT port/ });
  await close();
});

t.test("a broker that hangs up on MQTT 5 is tried with 3.1.1", async (t) => {
  const { broker, subscriber, close, reconnect } = await setUp(new PromptIntake());
  const first = await broker.next();
  t.equal((await first.next("connect")).protocolVersion, 5);
  first.socket.destroy();
  await reconnect();
  const second = await broker.next();
  const { connect } = await second.welcome();
  t.equal(connect.protocolVersion, 4);
  while (!subscriber.stats().ready) await new Promise((resolve) => setImmediate(resolve));
  await close();
});
