import { once } from "node:events";
import { connectAsync, type MqttClient } from "mqtt";
import t from "tap";
import { createSubscriber } from "../../agent/collect/subscriber.ts";
import {
  HoldingIntake,
  LEVEL,
  PromptIntake,
  recordingLog,
  settingsFor,
  startAedes,
} from "./subscriber-helpers.ts";

const TOPIC = "windfarm/T01/power-factor";

async function publisher(port: number): Promise<MqttClient> {
  return connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
}

/** The next packet of a kind aedes got from the subscriber. */
function subscribed(broker: Awaited<ReturnType<typeof startAedes>>["broker"]): Promise<unknown> {
  return once(broker, "subscribe");
}

t.test(
  "readings of an existing broker come through, and are acknowledged once they are stored",
  async (t) => {
    const { broker, port, close } = await startAedes();
    const intake = new HoldingIntake();
    const { log, at } = recordingLog();
    const subscriber = createSubscriber(settingsFor(port), intake, { log });
    const ready = subscribed(broker);
    await subscriber.start();
    await ready;
    const sensor = await publisher(port);
    const acknowledged: number[] = [];
    broker.on("ack", (packet) =>
      acknowledged.push(packet && "messageId" in packet ? (packet.messageId ?? 0) : 0),
    );
    await sensor.publishAsync(TOPIC, '{"id":"PP_1"}', { qos: 1 });
    await sensor.publishAsync(TOPIC, '{"id":"PP_2"}', { qos: 1 });
    const [first, second] = await intake.count(2);
    t.equal(first?.topic, TOPIC);
    t.equal(first?.payload.toString(), '{"id":"PP_1"}');
    await sensor.publishAsync("windfarm/T01/other/level", "x", { qos: 1 });
    t.strictSame(acknowledged, [], "nothing is on disk yet");
    second?.stored();
    first?.stored();
    while (acknowledged.length < 2) await once(broker, "ack");
    t.equal(intake.messages.length, 2, "and nothing outside the topic came");
    t.match(subscriber.stats(), {
      mode: "connect",
      url: `mqtt://127.0.0.1:${port}`,
      ready: true,
      connections: 1,
      closedConnections: {},
    });
    t.strictSame(at(LEVEL.warn), [], "that aedes speaks no MQTT 5 is nothing to worry about");
    await subscriber.stop(5000);
    t.match(subscriber.stats(), { ready: false, connections: 0 });
    await sensor.endAsync();
    await close();
  },
);

t.test("readings published while the agent was away are delivered when it is back", async (t) => {
  const { broker, port, close } = await startAedes();
  const intake = new PromptIntake();
  const { log } = recordingLog();
  const before = createSubscriber(settingsFor(port), intake, { log });
  const ready = subscribed(broker);
  await before.start();
  await ready;
  await before.stop(5000);
  const sensor = await publisher(port);
  for (let n = 0; n < 50; n++) await sensor.publishAsync(TOPIC, String(n), { qos: 1 });
  t.equal(intake.messages.length, 0);
  const after = createSubscriber(settingsFor(port), intake, { log });
  await after.start();
  await intake.count(50);
  t.strictSame(
    intake.messages.map(({ payload }) => Number(payload.toString())),
    Array.from({ length: 50 }, (_, n) => n),
  );
  await after.stop(5000);
  await sensor.endAsync();
  await close();
});

t.test("what was not acknowledged before an interruption is delivered again after it", async (t) => {
  const { broker, port, close } = await startAedes();
  const intake = new HoldingIntake();
  const { log, at } = recordingLog();
  const delays: number[] = [];
  const after = (ms: number, run: () => void) => {
    delays.push(ms);
    const timer = setTimeout(run, ms > 1000 ? ms : 0);
    return () => clearTimeout(timer);
  };
  const subscriber = createSubscriber(settingsFor(port), intake, { log, after, random: () => 1 });
  const arrived: { destroy(): void }[] = [];
  broker.on("client", (client) => arrived.push(client.conn));
  const ready = subscribed(broker);
  await subscriber.start();
  await ready;
  const sensor = await publisher(port);
  await sensor.publishAsync(TOPIC, "kept", { qos: 1 });
  const [first] = await intake.count(1);
  const again = subscribed(broker);
  arrived[0]?.destroy();
  await again;
  await intake.count(2);
  first?.stored();
  t.equal(intake.messages[1]?.payload.toString(), "kept");
  intake.messages[1]?.stored();
  await once(broker, "ack");
  t.strictSame(subscriber.stats().closedConnections, { closed_by_broker: 1 });
  t.ok(delays.includes(250), "it came back after the first delay");
  t.equal(at(LEVEL.warn).length, 1, "one line for one interruption");
  t.match(at(LEVEL.warn)[0], { code: "collect.closed_by_broker", hint: String });
  await subscriber.stop(5000);
  await sensor.endAsync();
  await close();
});

t.test("stopping waits for what is being stored to be acknowledged", async (t) => {
  const { broker, port, close } = await startAedes();
  const intake = new HoldingIntake();
  const { log } = recordingLog();
  const subscriber = createSubscriber(settingsFor(port), intake, { log });
  const ready = subscribed(broker);
  await subscriber.start();
  await ready;
  const sensor = await publisher(port);
  await sensor.publishAsync(TOPIC, "last", { qos: 1 });
  const [last] = await intake.count(1);
  let acknowledged = false;
  broker.on("ack", () => {
    acknowledged = true;
  });
  const stopping = subscriber.stop(30_000);
  setImmediate(() => last?.stored());
  await stopping;
  t.ok(acknowledged);
  await sensor.endAsync();
  await close();
});

t.test("stopping does not wait longer than it is told to", async (t) => {
  const { broker, port, close } = await startAedes();
  const intake = new HoldingIntake();
  const { log } = recordingLog();
  const subscriber = createSubscriber(settingsFor(port), intake, { log });
  const ready = subscribed(broker);
  await subscriber.start();
  await ready;
  const sensor = await publisher(port);
  await sensor.publishAsync(TOPIC, "never stored", { qos: 1 });
  await intake.count(1);
  await subscriber.stop(20);
  t.equal(subscriber.stats().connections, 0);
  await sensor.endAsync();
  await close();
});

t.test("a broker that is away is waited for, and one line says so", async (t) => {
  const { port, close } = await startAedes();
  await close();
  const intake = new PromptIntake();
  const { log, at } = recordingLog();
  const delays: number[] = [];
  let tried: () => void = () => {};
  const fourTimes = new Promise<void>((resolve) => {
    tried = resolve;
  });
  const after = (ms: number, run: () => void) => {
    if (ms < 10_000) delays.push(ms);
    if (delays.length === 4) tried();
    const timer = setTimeout(run, ms >= 10_000 ? ms : 1);
    return () => clearTimeout(timer);
  };
  const subscriber = createSubscriber(settingsFor(port), intake, { log, after, random: () => 1 });
  await subscriber.start();
  await fourTimes;
  t.equal(subscriber.stats().ready, false);
  t.strictSame(delays.slice(0, 4), [250, 500, 1000, 2000]);
  t.equal(at(LEVEL.warn).length, 1);
  t.match(at(LEVEL.warn)[0], { code: "collect.unreachable", msg: /ECONNREFUSED/ });
  const { broker, close: closeAgain } = await startAedes(port);
  await subscribed(broker);
  await subscriber.stop(5000);
  await closeAgain();
});

t.test("wrong credentials are told as such", async (t) => {
  const { broker, port, close } = await startAedes();
  broker.authenticate = (_client, username, password, done) =>
    done(null, username === "gateway" && password?.toString() === "right");
  const { log, at } = recordingLog();
  const refused = createSubscriber(
    settingsFor(port, { username: "gateway", password: "wrong" }),
    new PromptIntake(),
    { log },
  );
  const closed = once(broker, "clientError");
  await refused.start();
  await closed;
  while (at(LEVEL.warn).length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.match(at(LEVEL.warn)[0], { code: "collect.refused", hint: /mqtt\.password/ });
  await refused.stop(1000);
  const accepted = createSubscriber(
    settingsFor(port, { url: `mqtt://gateway:right@127.0.0.1:${port}` }),
    new PromptIntake(),
    { log },
  );
  const ready = subscribed(broker);
  await accepted.start();
  await ready;
  t.equal(accepted.stats().url, `mqtt://127.0.0.1:${port}`, "and the password is shown nowhere");
  await accepted.stop(1000);
  await close();
});

t.test("settings that can't be meant are refused before anything is opened", async (t) => {
  const { log } = recordingLog();
  const cases = [
    settingsFor(1, { topic: "windfarm/#" }),
    settingsFor(1, { clientId: "" }),
    settingsFor(1, { url: "broker:1883" }),
    settingsFor(1, { url: "http://broker" }),
    settingsFor(1, { url: "not an url" }),
  ];
  for (const settings of cases) {
    t.throws(() => createSubscriber(settings, new PromptIntake(), { log }), {
      code: "collect.settings",
      exitCode: 78,
    });
  }
});
