import t, { type Test } from "tap";
import { Publisher, type PublisherEvents } from "../../simulators/publisher.ts";
import { Random } from "../../simulators/random.ts";
import type { Message } from "../../simulators/turbine.ts";
import { TestBroker } from "../helpers/test-broker.ts";

interface Watched {
  publisher: Publisher;
  acknowledged: string[];
  lost: string[];
  problems: string[];
  empty: () => Promise<void>;
  problem: () => Promise<void>;
}

function publisher(
  url: string,
  options: { outbox?: number; username?: string; password?: string } = {},
): Watched {
  const { outbox = 10_000, ...access } = options;
  const waiting: { empty: (() => void)[]; problem: (() => void)[] } = { empty: [], problem: [] };
  const settings = { clientId: "sensors-T01", url, access, outboxMessages: outbox };
  const watched: Pick<Watched, "acknowledged" | "lost" | "problems"> = {
    acknowledged: [],
    lost: [],
    problems: [],
  };
  const events: PublisherEvents = {
    acknowledged: (message) => watched.acknowledged.push(String(message.payload)),
    lost: (message) => watched.lost.push(String(message.payload)),
    connected: () => {},
    disconnected: (_, problem) => {
      watched.problems.push(problem);
      for (const resolve of waiting.problem.splice(0)) resolve();
    },
    empty: () => {
      for (const resolve of waiting.empty.splice(0)) resolve();
    },
  };
  const made = new Publisher(settings, events, new Random(1));
  return {
    ...watched,
    publisher: made,
    empty: () =>
      made.outstanding === 0 ? Promise.resolve() : new Promise((resolve) => waiting.empty.push(resolve)),
    problem: () => new Promise((resolve) => waiting.problem.push(resolve)),
  };
}

function message(index: number): Message {
  return { topic: "windfarm/T01/power-factor", payload: `${index}`, kind: "reading" };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

async function startBroker(t: Test, users?: Record<string, string>): Promise<TestBroker> {
  const broker = new TestBroker(users);
  await broker.start();
  t.teardown(() => broker.stop());
  return broker;
}

t.test("Messages arrive in order with QoS 1, each acknowledged once", async (t) => {
  const broker = await startBroker(t);
  const { publisher: sender, acknowledged, empty } = publisher(broker.url);
  sender.start();
  for (let index = 0; index < 5_000; index++) sender.send(message(index));
  await empty();
  t.strictSame(
    broker.received.map(({ payload }) => payload.toString()),
    upTo(5_000),
  );
  t.strictSame(acknowledged, upTo(5_000));
  t.ok(broker.received.every(({ qos, client }) => qos === 1 && client === "sensors-T01"));
  await sender.close();
});

t.test("What was not acknowledged is sent again on the next connection, in order", async (t) => {
  const broker = await startBroker(t);
  const { publisher: sender, acknowledged, problems, empty } = publisher(broker.url);
  broker.cutAfter = 300;
  sender.start();
  for (let index = 0; index < 1_000; index++) sender.send(message(index));
  await broker.until(() => broker.received.length >= 500);
  broker.cutAfter = 100;
  await empty();
  t.equal(problems.length, 2);
  t.strictSame(acknowledged, upTo(1_000), "each is acknowledged once");
  t.ok(broker.received.length > 1_000, "some were sent more than once");
  t.strictSame([...new Set(broker.received.map(({ payload }) => payload.toString()))], upTo(1_000));
  await sender.close();
});

t.test("Nothing counts as acknowledged while the broker holds its answer", async (t) => {
  const broker = await startBroker(t);
  broker.acknowledging = false;
  const { publisher: sender, acknowledged, empty, problem } = publisher(broker.url);
  sender.start();
  for (let index = 0; index < 50; index++) sender.send(message(index));
  await broker.until(() => broker.received.length === 50);
  t.equal(acknowledged.length, 0);
  t.equal(sender.outstanding, 50);
  broker.acknowledging = true;
  const cut = problem();
  broker.cut();
  await cut;
  await empty();
  t.equal(acknowledged.length, 50);
  await sender.close();
});

t.test("A broker that is not there yet is tried again until it is", async (t) => {
  const broker = new TestBroker();
  await broker.start();
  const { url } = broker;
  await broker.stop();
  const { publisher: sender, acknowledged, problems, empty, problem } = publisher(url);
  sender.start();
  sender.send(message(0));
  await problem();
  await problem();
  await broker.start();
  t.teardown(() => broker.stop());
  await empty();
  t.strictSame(acknowledged, ["0"]);
  t.match(problems[0], /ECONNREFUSED/);
  await sender.close();
});

t.test("Wrong credentials are told as such, right ones are taken", async (t) => {
  const broker = await startBroker(t, { sensor: "secret" });
  const wrong = publisher(broker.url, { username: "sensor", password: "guess" });
  wrong.publisher.start();
  await wrong.problem();
  t.match(wrong.problems[0], /not authorized|bad user name/i);
  await wrong.publisher.close();
  const right = publisher(broker.url, { username: "sensor", password: "secret" });
  right.publisher.start();
  right.publisher.send(message(0));
  await right.empty();
  t.strictSame(right.acknowledged, ["0"]);
  await right.publisher.close();
});

t.test("A full outbox gives up the oldest messages, and says so", async (t) => {
  const broker = new TestBroker();
  await broker.start();
  const { url } = broker;
  await broker.stop();
  const { publisher: sender, lost, acknowledged, empty } = publisher(url, { outbox: 10 });
  for (let index = 0; index < 25; index++) sender.send(message(index));
  t.strictSame(lost, upTo(15));
  await broker.start();
  t.teardown(() => broker.stop());
  sender.start();
  await empty();
  t.strictSame(acknowledged, upTo(25).slice(15));
  await sender.close();
});

t.test("A closed publisher lets the process end", async (t) => {
  const { publisher: sender, problems, problem } = publisher("mqtt://127.0.0.1:1");
  sender.start();
  await problem();
  await sender.close();
  const before = problems.length;
  await new Promise((resolve) => process.once("beforeExit", resolve));
  t.equal(problems.length, before, "nothing was tried any more, and nothing kept the process alive");
});
