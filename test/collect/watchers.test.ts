/** Clients that look on: they see stored readings, and cost the intake nothing. */

import t from "tap";
import { MAX_FORWARDED_BYTES, Watchers } from "../../agent/collect/watchers.ts";
import { startBroker } from "../helpers/embedded-broker.ts";
import { WireClient } from "../helpers/mqtt-wire.ts";

const TOPIC = "windfarm/T07/power-factor";

async function watcher(port: number, ...filters: string[]) {
  const client = await WireClient.connected(port);
  const subscriptions = filters.map((topic) => ({ topic, qos: 1 as const }));
  client.send({ cmd: "subscribe", messageId: 1, subscriptions });
  await client.until(() => client.ids("suback").length === 1);
  return client;
}

const seen = (client: WireClient) =>
  client.received.flatMap((packet) => (packet.cmd === "publish" ? [String(packet.payload)] : []));

t.test("a reading comes once, whatever number of filters match, and at QoS 0", async (t) => {
  const { port } = await startBroker(t, {}, true);
  const looking = await watcher(port, "windfarm/#", "windfarm/+/power-factor", "#");
  const other = await watcher(port, "windfarm/T08/#");
  const sensor = await WireClient.connected(port);
  const long = "x".repeat(20_000);
  sensor.publish(TOPIC, "one", 1);
  sensor.publish(TOPIC, long, 2, 2);
  await sensor.until(() => sensor.ids("pubrec").length === 1);
  await looking.ping();
  await other.ping();
  t.strictSame(seen(looking), ["one", long]);
  t.strictSame(seen(other), []);
  looking.send({
    cmd: "unsubscribe",
    messageId: 2,
    unsubscriptions: ["windfarm/#", "windfarm/+/power-factor", "#"],
  });
  await looking.until(() => looking.ids("unsuback").length === 1);
  sensor.publish(TOPIC, "two", 3);
  await sensor.until(() => sensor.ids("puback").includes(3));
  await looking.ping();
  t.strictSame(seen(looking), ["one", long]);
});

t.test("what could not be understood is not shown", async (t) => {
  const { intake, port } = await startBroker(t);
  const looking = await watcher(port, "#");
  const sensor = await WireClient.connected(port);
  intake.understands = false;
  sensor.publish(TOPIC, "rejected", 1);
  await intake.until(1);
  intake.understands = true;
  sensor.publish(TOPIC, "stored", 2);
  await intake.until(2);
  intake.taken[0]?.stored();
  intake.taken[1]?.stored();
  await sensor.until(() => sensor.ids("puback").length === 2);
  await looking.ping();
  t.strictSame(seen(looking), ["stored"]);
});

t.test("the broker's own topics are nobody's to see", async (t) => {
  const { port } = await startBroker(t, {}, true);
  const looking = await watcher(port, "$SYS/#", "#");
  for (let i = 0; i < 20; i++) await WireClient.connected(port);
  await looking.ping();
  t.strictSame(seen(looking), []);
});

t.test("all watchers together hold a bounded number of bytes, and go on when some have left", async (t) => {
  const watchers = new Watchers();
  const sent: (() => void)[] = [];
  watchers.add({ show: () => false }, "#");
  for (let i = 0; i < 200; i++)
    watchers.add({ show: (_packet: Buffer, left: () => void) => sent.push(left) > 0 }, "windfarm/#");
  const payload = Buffer.alloc(60_000);
  for (let i = 0; i < 100; i++) watchers.forward(TOPIC, payload);
  const most = Math.ceil(MAX_FORWARDED_BYTES / payload.length);
  t.ok(sent.length > 0 && sent.length <= most, `${sent.length} packets on their way`);
  const before = sent.length;
  for (const left of sent.slice(0, 10)) left();
  watchers.forward(TOPIC, payload);
  t.equal(sent.length, before + 10, "as many as have left");
});
