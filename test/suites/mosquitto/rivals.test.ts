/** Two agents with one client id. */

import t from "tap";
import { Agent } from "./agent.ts";
import { findMosquitto, Mosquitto, RECOMMENDED } from "./mosquitto.ts";
import { missing, Sensor } from "./sensor.ts";

const found = findMosquitto();
const options = { skip: "reason" in found ? found.reason : false, timeout: 110_000 };
const path = "path" in found ? found.path : "";

t.test(
  "two agents with one client id: both say so, slow down, and lose nothing between them",
  options,
  async (t) => {
    const [one, two] = [t.testdir({ one: {}, two: {} })].flatMap((folder) => [
      `${folder}/one`,
      `${folder}/two`,
    ]);
    const broker = await Mosquitto.start(path, one ?? "", RECOMMENDED);
    const agents = [new Agent(one ?? "", broker.port), new Agent(two ?? "", broker.port)];
    const sensor = await Sensor.connect(broker.port);
    for (const agent of agents) await agent.start();
    sensor.publishOn();
    await Promise.all(
      agents.map((agent) => agent.says(/another client (probably )?uses the client id windfarm-suite/)),
    );
    await sensor.stop();
    await Promise.race(agents.map((agent) => agent.hasTheLast()));
    for (const agent of agents) {
      t.equal(agent.log.match(/another client (probably )?uses the client id/g)?.length, 1, "once");
      await agent.kill("SIGTERM");
    }
    const buffers = await Promise.all(agents.map((agent) => agent.buffered()));
    t.strictSame(missing(sensor.acknowledged, ...buffers), []);
    await broker.stop();
  },
);
