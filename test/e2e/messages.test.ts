import { connectAsync } from "mqtt";
import t from "tap";
import { z } from "zod";
import { Farm } from "./farm.ts";

// Half a minute on an idle machine; processes start slowly on a busy one.
t.setTimeout(280_000);

/** What the original project's producers send, with the id that its pressures borrow. */
const ORIGINAL: [string, string][] = [
  ["power-factor", '{"id":"PP_0","data":0.7131,"type":"Power Factory","timestamp":"22/11/2026"}'],
  ["temperature-battery", '{"id":"PT_0","data":23,"type":"temperature","timestamp":"22/11/2026"}'],
  ["temperature-battery", '{"id":"PT_1","data":23.5,"type":"temperature","timestamp":"22/11/2026"}'],
  ["hydraulic-pressure", '{"id":"PPH_0","data":76,"type":"Hydraulic Pressure ","timestamp":"22/11/2026"}'],
  ["hydraulic-pressure", '{"id":"PT_1","data":76.5,"type":"Hydraulic Pressure ","timestamp":"22/11/2026"}'],
];

t.test(
  "The original producers' messages are in the lake, each once, under the right type and day",
  async (t) => {
    const farm = await Farm.lay(t.testdir());
    t.teardown(() => farm.stop());
    await farm.startCloud();
    await farm.startAgent();
    const client = await connectAsync(farm.broker);
    for (const [sensor, payload] of ORIGINAL)
      await client.publishAsync(`windfarm/T01/${sensor}`, payload, { qos: 1 });
    // Sent again by MQTT it is one reading; sent anew it may be another of the same day.
    for (const dup of [true, false])
      await client.publishAsync("windfarm/T01/power-factor", ORIGINAL[0]?.[1] ?? "", { qos: 1, dup });
    await client.publishAsync("windfarm/T01/power-factor", "{not json", { qos: 1 });
    await client.endAsync();

    const { agent, cloud } = await farm.settled();
    t.match(agent, { received: 8, rejected: 1, shipped: 7, buffered: 0, dropped: 0 });
    t.match(cloud, { deliveredReadings: 7, lakeReadings: 6 });

    const rows = await farm.query("SELECT id, data, type, CAST(date AS date) AS day, turbine FROM readings");
    const Row = z.object({
      id: z.string(),
      data: z.number(),
      type: z.string(),
      day: z.string(),
      turbine: z.string(),
    });
    const found = z
      .array(Row)
      .parse(rows)
      .map(({ id, data, type, day, turbine }) => [type, id, data, day.slice(0, 10), turbine]);
    t.strictSame(found.sort(), [
      ["Hydraulic Pressure", "PPH_0", 76, "2026-11-22", "T01"],
      ["Hydraulic Pressure", "PT_1", 76.5, "2026-11-22", "T01"],
      ["Power Factor", "PP_0", 0.7131, "2026-11-22", "T01"],
      ["Power Factor", "PP_0", 0.7131, "2026-11-22", "T01"],
      ["Temperature Battery", "PT_0", 23, "2026-11-22", "T01"],
      ["Temperature Battery", "PT_1", 23.5, "2026-11-22", "T01"],
    ]);
  },
);
