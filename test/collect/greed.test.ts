/** Clients that want more of the agent's memory than is theirs. */

import t from "tap";
import { UNREAD_TIMEOUT_MS } from "../../agent/collect/patience.ts";
import { PublishReader } from "../../agent/collect/publish-packet.ts";
import { MAX_ALL_SUBSCRIPTIONS, MAX_SUBSCRIPTIONS, Watchers } from "../../agent/collect/watchers.ts";
import { MAX_REMEMBERED } from "../../agent/common/remembered.ts";
import { startBroker } from "../helpers/embedded-broker.ts";
import { WireClient } from "../helpers/mqtt-wire.ts";

const TOPIC = "windfarm/T07/power-factor";

for (const size of [8_000, 60_000]) {
  t.test(`A subscriber that never reads ${size} bytes is closed, and the reason is counted`, async (t) => {
    const { broker, clock, intake, port } = await startBroker(t, {}, true);
    const stuck = await WireClient.connected(port);
    stuck.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "windfarm/#", qos: 0 }] });
    await stuck.until(() => stuck.ids("suback").length === 1);
    stuck.socket.pause();
    const client = await WireClient.connected(port);
    const big = "x".repeat(size);
    for (let id = 1; broker.stats().closedConnections.not_reading === undefined; id++) {
      client.publish(TOPIC, big, id);
      await client.until(() => client.ids("puback").length === id);
      clock.ms += UNREAD_TIMEOUT_MS / 20;
    }
    await client.ping();
    t.strictSame(broker.stats().closedConnections, { not_reading: 1 });
    t.equal(intake.taken.length, client.ids("puback").length);
    stuck.socket.destroy();
  });
}

t.test("A client that reads late gets every answer", async (t) => {
  const { port } = await startBroker(t, {}, true);
  const client = await WireClient.connected(port);
  client.socket.pause();
  const many = 20_000;
  for (let id = 1; id <= many; id++) client.send({ cmd: "pingreq" });
  client.publish(TOPIC, "last", 7);
  const other = await WireClient.connected(port);
  await other.ping();
  client.socket.resume();
  await client.until((packets) => packets.at(-1)?.cmd === "puback" || packets.length >= many + 2);
  await client.until(() => client.received.length === many + 2);
  t.equal(client.ids("pingresp").length, many);
  t.strictSame(client.ids("puback"), [7]);
});

t.test("Subscriptions are counted within one packet too", async (t) => {
  const { port } = await startBroker(t, {}, true);
  const client = await WireClient.connected(port);
  const subscriptions = Array.from({ length: 3 * MAX_SUBSCRIPTIONS }, (_, index) => ({
    topic: `windfarm/${index}/+`,
    qos: 0 as const,
  }));
  client.send({ cmd: "subscribe", messageId: 1, subscriptions });
  await client.until(() => client.ids("suback").length === 1);
  const granted = () =>
    client.received
      .flatMap((packet) => (packet.cmd === "suback" ? packet.granted : []))
      .filter((qos) => qos !== 128);
  t.equal(granted().length, MAX_SUBSCRIPTIONS);
  client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["windfarm/0/+"] });
  await client.until(() => client.ids("unsuback").length === 1);
  client.send({ cmd: "subscribe", messageId: 3, subscriptions: [{ topic: "windfarm/new/+", qos: 0 }] });
  await client.until(() => client.ids("suback").length === 2);
  t.equal(granted().length, MAX_SUBSCRIPTIONS + 1, "one given back can be had again");
});

t.test(
  "Subscriptions of all clients together are bounded; what one gives back another can have",
  async (t) => {
    const { port } = await startBroker(t);
    const topics = (name: string | number) =>
      Array.from({ length: MAX_SUBSCRIPTIONS }, (_, index) => `windfarm/${name}/${index}`);
    const granted = async (client: WireClient, messageId: number, filters: readonly string[]) => {
      const before = client.ids("suback").length;
      const subscriptions = filters.map((topic) => ({ topic, qos: 0 as const }));
      client.send({ cmd: "subscribe", messageId, subscriptions });
      await client.until(() => client.ids("suback").length > before);
      const last = client.received.at(-1);
      return last?.cmd === "suback" ? last.granted.filter((code) => code !== 0x80).length : undefined;
    };
    const clients: WireClient[] = [];
    for (let i = 0; i < MAX_ALL_SUBSCRIPTIONS / MAX_SUBSCRIPTIONS; i++) {
      const client = await WireClient.connected(port);
      t.equal(await granted(client, 1, topics(i)), MAX_SUBSCRIPTIONS);
      clients.push(client);
    }
    const first = clients[0]!;
    const late = await WireClient.connected(port);
    t.equal(await granted(late, 1, topics("late")), 0, "0x80 for each");
    t.equal(await granted(first, 2, topics(0)), MAX_SUBSCRIPTIONS, "those it has are granted again");
    first.send({
      cmd: "unsubscribe",
      messageId: 3,
      unsubscriptions: [...topics(0).slice(0, 3), "never/had"],
    });
    await first.until(() => first.ids("unsuback").length === 1);
    t.equal(await granted(late, 2, topics("late")), 3);
  },
);

t.test("A connection that closes gives its subscriptions back", async (t) => {
  const watchers = new Watchers();
  const some = Array.from({ length: MAX_ALL_SUBSCRIPTIONS / MAX_SUBSCRIPTIONS }, () => ({
    show: () => true,
  }));
  const fill = () =>
    some.flatMap((watcher) =>
      Array.from({ length: MAX_SUBSCRIPTIONS }, (_, index) => watchers.add(watcher, `a/${index}`)),
    );
  const late = { show: () => true };
  t.notOk(fill().includes(false));
  t.notOk(watchers.add(late, "a"));
  for (const watcher of some) {
    watchers.leave(watcher);
    watchers.leave(watcher);
  }
  t.notOk(fill().includes(false));
  t.notOk(watchers.add(late, "a"));
});

t.test("Long topics are judged each time and not remembered", async (t) => {
  const reader = new PublishReader();
  const packet = (topic: string) => {
    const body = Buffer.from(topic);
    return Buffer.concat([Buffer.from([0x30, 0, body.length >> 8, body.length & 0xff]), body]);
  };
  const read = (topic: string) => {
    const bytes = packet(topic);
    return reader.read(bytes, 0, 2, bytes.length)?.topic;
  };
  t.equal(read("a/b"), read("a/b"), "a short one is the same object");
  const long = `a/${"b".repeat(1000)}`;
  t.not(read(long), read(long));
  t.strictSame(read(long), { topic: long });
  const first = read("a/b");
  for (let i = 0; i <= MAX_REMEMBERED; i++) read(`a/${i}`);
  t.not(read("a/b"), first, "those seen long ago are forgotten");
});
