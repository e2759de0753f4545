/** mosquitto restarted, and restarted without its sessions: nothing acknowledged is lost. */

import t from "tap";
import { Agent } from "./agent.ts";
import { findMosquitto, Mosquitto, RECOMMENDED } from "./mosquitto.ts";
import { missing, Sensor, total } from "./sensor.ts";

const found = findMosquitto();
const options = { skip: "reason" in found ? found.reason : false, timeout: 110_000 };
const path = "path" in found ? found.path : "";

t.test("mosquitto is restarted five times under load", options, async (t) => {
  const folder = t.testdir();
  const broker = await Mosquitto.start(path, folder, RECOMMENDED);
  const agent = new Agent(folder, broker.port);
  await agent.start();
  const sensor = await Sensor.connect(broker.port);
  sensor.publishOn();
  for (let times = 1; times <= 5; times++) {
    await sensor.has(times * 1000);
    await broker.stop();
    await broker.startAgain();
  }
  await sensor.has(6000);
  await sensor.stop();
  await agent.hasTheLast();
  await agent.kill("SIGTERM");
  const buffered = await agent.buffered();
  t.comment(
    `${sensor.acknowledged.size} acknowledged, ${total(buffered)} stored, ${total(buffered) - buffered.size} of them again`,
  );
  t.strictSame(missing(sensor.acknowledged, buffered), []);
  t.notMatch(agent.log, /lost the session/);
  await broker.stop();
});

t.test(
  "mosquitto forgets the session: the agent subscribes again and says what that means",
  options,
  async (t) => {
    const folder = t.testdir();
    const broker = await Mosquitto.start(path, folder, ["persistence false"]);
    const agent = new Agent(folder, broker.port);
    await agent.start();
    const sensor = await Sensor.connect(broker.port);
    await sensor.publish(500);
    await agent.hasReceived(500);
    await broker.stop("SIGKILL");
    await broker.startAgain();
    await agent.says("has lost the session");
    await agent.says(/subscribed to[\s\S]*lost the session[\s\S]*subscribed to/);
    await sensor.publish(500);
    await agent.hasReceived(1000);
    await sensor.stop();
    await agent.kill("SIGTERM");
    t.strictSame(missing(sensor.acknowledged, await agent.buffered()), []);
    await broker.stop();
  },
);
