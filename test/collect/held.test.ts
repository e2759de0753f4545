/** A client that can't be read further, because the disk can take nothing or its window is full: held, and not lost. */

import t from "tap";
import { MAX_OPEN_PUBLISHES } from "../../agent/collect/connection.ts";
import { PACKET_TIMEOUT_MS } from "../../agent/collect/patience.ts";
import { startBroker as start } from "../helpers/embedded-broker.ts";
import { WireClient } from "../helpers/mqtt-wire.ts";

const TOPIC = "windfarm/T07/power-factor";
const KEEPALIVE_SECONDS = 10;

/** A client whose window is full, with a PINGREQ behind it. */
async function held(port: number, taken: (count: number) => Promise<void>, window = MAX_OPEN_PUBLISHES) {
  const client = await WireClient.connected(port, { keepalive: KEEPALIVE_SECONDS });
  for (let id = 1; id <= 2 * window; id++) client.publish(TOPIC, `r${id}`, id);
  client.send({ cmd: "pingreq" });
  await taken(window);
  return client;
}

t.test("a held client is answered in advance, again and again, and goes on where it was", async (t) => {
  const { broker, clock, intake, port } = await start(t);
  const client = await held(port, (count) => intake.until(count));
  for (let answers = 1; answers <= 3; answers++) {
    clock.ms += (KEEPALIVE_SECONDS * 1000) / 2;
    await client.until(() => client.ids("pingresp").length === answers);
  }
  t.equal(intake.taken.length, MAX_OPEN_PUBLISHES, "nothing more was read");
  intake.storesAtOnce = true;
  for (const { stored } of intake.taken.splice(0)) stored();
  await client.until(() => client.ids("puback").length === 2 * MAX_OPEN_PUBLISHES);
  await client.until(() => client.ids("pingresp").length === 4);
  t.strictSame(broker.stats().closedConnections, {});
});

t.test("the silence while a client was held is not counted against it", async (t) => {
  const { broker, clock, intake, port } = await start(t);
  const client = await held(port, (count) => intake.until(count));
  clock.ms += 100 * KEEPALIVE_SECONDS * 1000;
  await client.until(() => client.ids("pingresp").length > 0);
  intake.storesAtOnce = true;
  for (const { stored } of intake.taken.splice(0)) stored();
  await client.until(() => client.ids("puback").length === 2 * MAX_OPEN_PUBLISHES);
  clock.ms += KEEPALIVE_SECONDS * 1000;
  await client.ping();
  t.strictSame(broker.stats().closedConnections, {});
});

t.test("a held client that is gone does not keep its place", async (t) => {
  const { broker, clock, intake, port } = await start(t);
  const client = await held(port, (count) => intake.until(count));
  client.socket.destroy();
  const other = await WireClient.connected(port);
  while (broker.stats().connections > 1) {
    clock.ms += KEEPALIVE_SECONDS * 1000;
    await other.ping();
  }
  t.pass("it was found out although nothing is read from it");
});

t.test("while the disk takes nothing a client may have only a few readings waiting", async (t) => {
  const { clock, intake, port } = await start(t);
  intake.window = 4;
  const client = await held(port, (count) => intake.until(count), intake.window);
  clock.ms += (KEEPALIVE_SECONDS * 1000) / 2;
  await client.until(() => client.ids("pingresp").length === 1);
  t.equal(intake.taken.length, 4);
  intake.window = Number.POSITIVE_INFINITY;
  for (const { stored } of intake.taken) stored();
  await intake.until(8);
});

t.test("where not one more can wait a client is not read, and not closed, until there is room", async (t) => {
  const { broker, clock, intake, port } = await start(t);
  intake.window = 0;
  const client = await WireClient.connected(port, { keepalive: KEEPALIVE_SECONDS });
  client.publish(TOPIC, "one", 1);
  client.publish(TOPIC, "two", 2);
  clock.ms += (KEEPALIVE_SECONDS * 1000) / 2;
  await client.until(() => client.ids("pingresp").length === 1);
  t.ok(intake.taken.length < 2, "at most what was read before the window closed");
  intake.window = Number.POSITIVE_INFINITY;
  await intake.until(2);
  t.strictSame(broker.stats().closedConnections, {});
});

t.test(
  "a steady sender whose packets never end where its pieces do is not taken for a slow one",
  async (t) => {
    const { broker, clock, port } = await start(t, {}, true);
    const client = await WireClient.connected(port);
    const packet = Buffer.from([0xc0, 0]);
    client.socket.write(packet.subarray(0, 1));
    for (let piece = 1; piece <= 4; piece++) {
      client.socket.write(Buffer.concat([packet.subarray(1), packet.subarray(0, 1)]));
      await client.until(() => client.ids("pingresp").length === piece);
      // A stranger that never speaks is closed by the sweep that also looks at the sender.
      const stranger = await WireClient.open(port);
      await (await WireClient.connected(port)).ping();
      clock.ms += PACKET_TIMEOUT_MS * 0.7;
      await stranger.closed();
    }
    t.strictSame(broker.stats().closedConnections, { connect_timeout: 4 });
  },
);
