import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { DateReader } from "../../agent/contract/dates.ts";
import { ReadingReader } from "../../agent/contract/reading.ts";
import { SensorCatalog } from "../../agent/contract/sensors.ts";
import { TopicReader } from "../../agent/contract/topics.ts";

const folder = join(import.meta.dirname, "..", "cases", "readings");

function lines(file: string): Record<string, unknown>[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function settings(name: string): { timezone?: string } {
  try {
    return JSON.parse(readFileSync(join(folder, name, "settings.json"), "utf8"));
  } catch {
    return {};
  }
}

/** What the contract makes of one golden input, in the form of the expected file. */
function understand(topic: string, payload: string, timezone: string | undefined): unknown {
  const parts = new TopicReader("windfarm/+/+").read(topic);
  if (parts === undefined) return { reason: "topic" };
  const reader = new ReadingReader(new SensorCatalog(), new DateReader(timezone));
  const verdict = reader.read(Buffer.from(payload), parts);
  if ("reason" in verdict) return { reason: verdict.reason };
  return verdict.plausible ? verdict.reading : { ...verdict.reading, plausible: false };
}

for (const name of readdirSync(folder)) {
  t.test(`golden readings: ${name}`, async (t) => {
    const expected = lines(join(folder, name, "expected.ndjson"));
    const inputs = lines(join(folder, name, "input.ndjson"));
    t.equal(inputs.length, expected.length);
    for (const [index, { topic, payload }] of inputs.entries()) {
      const found = understand(String(topic), String(payload), settings(name).timezone);
      t.strictSame(found, expected[index], String(payload).slice(0, 90) || "(empty)");
    }
  });
}

t.test("a payload that is not UTF-8 is refused as such", async (t) => {
  const verdict = new ReadingReader().read(Buffer.from([0x7b, 0xff, 0x7d]), {
    turbine: "T1",
    sensor: undefined,
  });
  t.match(verdict, { reason: "not_utf8" });
});

t.test("two sensors can't share a spelling", async (t) => {
  const { sensors } = new SensorCatalog();
  const clash = sensors.map((sensor) => ({ ...sensor, aliases: ["the same"] }));
  t.throws(() => new SensorCatalog(clash), RangeError);
});
