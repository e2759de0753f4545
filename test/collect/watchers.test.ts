/** Clients that look on: they see stored readings, and cost the intake nothing. */

import t from "tap";
import { Forwards } from "../../agent/collect/forwards.ts";
import { MAX_COPIED_BYTES, Watchers } from "../../agent/collect/watchers.ts";
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
  const forward = () => {
    const copy = watchers.copy(TOPIC, payload);
    if (copy !== undefined) watchers.forward(copy);
  };
  for (let i = 0; i < 100; i++) forward();
  const most = Math.floor(MAX_COPIED_BYTES / payload.length);
  t.ok(sent.length > 0 && sent.length <= most, `${sent.length} packets on their way`);
  const before = sent.length;
  for (const left of sent.slice(0, 10)) left();
  forward();
  t.equal(sent.length, before + 10, "as many as have left");
});

t.test("what is not shown gives its room back", async (t) => {
  const watchers = new Watchers();
  watchers.add({ show: () => false }, "#");
  const payload = Buffer.alloc(60_000);
  const fill = () => {
    const copies = [];
    for (let copy = watchers.copy(TOPIC, payload); copy; copy = watchers.copy(TOPIC, payload))
      copies.push(copy);
    for (const copy of copies) watchers.release(copy);
    return copies.length;
  };
  const room = fill();
  t.ok(room > 0);
  const forwards = new Forwards(watchers);
  forwards.take(TOPIC, payload);
  forwards.forget();
  forwards.settle(true);
  forwards.take(TOPIC, payload);
  t.equal(fill(), room - 1);
  forwards.settle(false);
  forwards.take(TOPIC, payload);
  forwards.settle(true);
  t.equal(fill(), room);
});

t.test("what is forwarded at QoS 0 is granted at QoS 0, whatever was asked for", async (t) => {
  const { port } = await startBroker(t, {}, true);
  const looking = await WireClient.connected(port);
  const subscriptions = [0, 1, 2].map((qos) => ({ topic: `windfarm/T0${qos}/#`, qos: qos as 0 | 1 | 2 }));
  looking.send({ cmd: "subscribe", messageId: 7, subscriptions });
  await looking.until(() => looking.ids("suback").length === 1);
  const granted = looking.received.flatMap((packet) => (packet.cmd === "suback" ? [packet.granted] : []));
  t.strictSame(granted, [[0, 0, 0]]);
});

t.test("nobody sees a reading that could not be stored, nor what its connection sent besides", async (t) => {
  const watchers = new Watchers();
  const shown: Uint8Array[] = [];
  watchers.add({ show: (packet) => shown.push(packet) > 0 }, "#");
  const forwards = new Forwards(watchers);
  for (const text of ["one", "two", "three"]) forwards.take(TOPIC, Buffer.from(text));
  // The third is refused at once, while the others wait for the disk.
  forwards.settle(false);
  forwards.settle(true);
  forwards.settle(true);
  forwards.take(TOPIC, Buffer.from("four"));
  forwards.settle(true);
  t.strictSame(shown, []);
});

t.test("copies that wait for the disk, of many clients and their wills, are bounded together", async (t) => {
  const { intake, port } = await startBroker(t);
  const looking = await watcher(port, "#");
  const will = { topic: TOPIC, payload: Buffer.alloc(60_000, "w"), qos: 0 as const, retain: false };
  const vanishing = await WireClient.connected(port, { will });
  const clients = 40;
  const each = 5;
  const payload = "x".repeat(60_000);
  const sensors: WireClient[] = [];
  for (let i = 0; i < clients; i++) {
    const sensor = await WireClient.connected(port);
    for (let id = 1; id <= each; id++) sensor.publish(TOPIC, payload, id);
    await intake.until((i + 1) * each);
    sensors.push(sensor);
  }
  vanishing.socket.destroy();
  await intake.until(clients * each + 1);
  for (const { stored } of intake.taken) {
    stored();
    await looking.ping();
  }
  for (const sensor of sensors) await sensor.until(() => sensor.ids("puback").length === each);
  const shown = seen(looking);
  t.ok(shown.length > 0 && shown.length * payload.length <= MAX_COPIED_BYTES, `${shown.length} were shown`);
  t.notOk(shown.includes(String(will.payload)), "there was no room for the will");
  const late = await WireClient.connected(port, { will });
  late.socket.destroy();
  await intake.until(clients * each + 2);
  intake.taken.at(-1)?.stored();
  await looking.until(() => seen(looking).includes(String(will.payload)));
});
