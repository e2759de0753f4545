import t from "tap";
import { MAX_REMEMBERED } from "../../agent/common/remembered.ts";
import { DEFAULT_SENSORS, SensorCatalog } from "../../agent/contract/sensors.ts";
import { TopicReader } from "../../agent/contract/topics.ts";
import { KnownTopics } from "../../agent/validate/known-topics.ts";

const topics = () =>
  new KnownTopics(new TopicReader("windfarm/+/+"), new SensorCatalog(Object.values(DEFAULT_SENSORS)));

t.test("A topic tells turbine and sensor", async (t) => {
  const known = topics();
  t.match(known.find("windfarm/T07/power-factor"), {
    turbine: "T07",
    slug: "power-factor",
    sensor: { type: "Power Factor" },
  });
  t.match(known.find("windfarm/T07/wind"), { turbine: "T07", slug: "wind", sensor: undefined });
  t.equal(known.find("other/T07/power-factor"), null);
});

t.test("Those of a gateway's own sensors are read once, invented ones take no room", async (t) => {
  const known = topics();
  const first = known.find("windfarm/T07/power-factor");
  t.equal(known.find("windfarm/T07/power-factor"), first, "the same object");
  const long = `windfarm/${"t".repeat(125)}/power-factor`;
  t.match(known.find(long), { turbine: "t".repeat(125) });
  t.not(known.find(long), known.find(long), "a long one is read each time");
  for (let i = 0; i <= MAX_REMEMBERED; i++) known.find(`windfarm/${i}/power-factor`);
  t.not(known.find("windfarm/T07/power-factor"), first, "those seen long ago are forgotten");
});
