/** The agent killed under load: what it had not acknowledged, mosquitto delivers again. */

import t from "tap";
import { Agent } from "./agent.ts";
import { findMosquitto, Mosquitto, RECOMMENDED } from "./mosquitto.ts";
import { missing, Sensor, total } from "./sensor.ts";

const found = findMosquitto();
const options = { skip: "reason" in found ? found.reason : false, timeout: 110_000 };
const path = "path" in found ? found.path : "";

t.test("the agent is killed ten times under load", options, async (t) => {
  const folder = t.testdir();
  const broker = await Mosquitto.start(path, folder, RECOMMENDED);
  const agent = new Agent(folder, broker.port);
  await agent.start();
  const sensor = await Sensor.connect(broker.port);
  sensor.publishOn();
  for (let times = 1; times <= 10; times++) {
    await sensor.has(times * 300);
    await agent.kill("SIGKILL");
    await agent.start();
  }
  await sensor.stop();
  await agent.hasTheLast();
  await agent.kill("SIGTERM");
  const buffered = await agent.buffered();
  t.comment(
    `${sensor.acknowledged.size} acknowledged, ${total(buffered)} stored, ${total(buffered) - buffered.size} of them again`,
  );
  t.strictSame(missing(sensor.acknowledged, buffered), []);
  await broker.stop();
});
