import t from "tap";
import { ReadingReader } from "../../agent/contract/reading.ts";
import { TopicReader } from "../../agent/contract/topics.ts";
import { NO_FAULTS } from "../../simulators/faults.ts";
import { BAD_PAYLOADS, contractForm, legacyForm, type PayloadForm } from "../../simulators/payload.ts";
import { type Message, Turbine } from "../../simulators/turbine.ts";

const reader = new ReadingReader();
const topics = new TopicReader("windfarm/+/+");
const NOON = Date.parse("2026-11-22T12:00:00.000Z");

function turbine(form: PayloadForm): Turbine {
  return new Turbine({
    name: "T01",
    seed: 1,
    stepSeconds: 1,
    startHour: 8,
    topicPrefix: "windfarm",
    form,
    faults: NO_FAULTS,
  });
}

function understand(message: Message) {
  const topic = topics.read(message.topic);
  if (topic === undefined) return { reason: "topic" };
  return reader.read(Buffer.from(message.payload), topic);
}

for (const [name, form] of Object.entries({ contractForm, legacyForm })) {
  t.test(`Every message in ${name} is understood as the reading it stands for`, async (t) => {
    const simulated = turbine(form);
    for (let index = 0; index < 40; index++) {
      for (const message of simulated.tick(NOON + index * 1000)) {
        const verdict = understand(message);
        t.ok("reading" in verdict, String(message.payload));
        if ("reading" in verdict) t.strictSame(verdict.reading, message.reading);
      }
    }
  });
}

t.test("A tick is one reading of each sensor on the sensor's topic", async (t) => {
  const messages = turbine(contractForm).tick(NOON);
  t.strictSame(
    messages.map(({ topic, kind, reading }) => [topic, kind, reading?.id, reading?.date, reading?.turbine]),
    [
      ["windfarm/T01/power-factor", "reading", "PP_0", "2026-11-22T12:00:00.000Z", "T01"],
      ["windfarm/T01/temperature-battery", "reading", "PT_0", "2026-11-22T12:00:00.000Z", "T01"],
      ["windfarm/T01/hydraulic-pressure", "reading", "PPH_0", "2026-11-22T12:00:00.000Z", "T01"],
    ],
  );
});

t.test("The legacy form is the original's: its spellings, its stepping day, its borrowed ids", async (t) => {
  const simulated = turbine(legacyForm);
  const sent = [...simulated.tick(NOON), ...simulated.tick(NOON)].map(({ payload }) =>
    JSON.parse(String(payload)),
  );
  t.strictSame(
    sent.map(({ id, type, timestamp }) => [id, type, timestamp]),
    [
      ["PP_0", "Power Factory", "22/11/2026"],
      ["PT_0", "temperature", "22/11/2026"],
      ["PPH_0", "Hydraulic Pressure ", "22/11/2026"],
      ["PP_1", "Power Factory", "23/11/2026"],
      ["PT_1", "temperature", "23/11/2026"],
      ["PT_1", "Hydraulic Pressure ", "23/11/2026"],
    ],
  );
});

t.test(
  "Every bad payload is refused by the contract, and they have every cause a payload can have",
  async (t) => {
    const reasons = new Set<string>();
    for (const message of turbine(contractForm).tick(NOON)) {
      for (const bad of BAD_PAYLOADS) {
        if (message.reading === undefined) return t.fail("a tick without a reading");
        const payload = bad(message.reading);
        const verdict = understand({ topic: message.topic, payload, kind: "bad" });
        t.ok("reason" in verdict, `${payload}`);
        if ("reason" in verdict) reasons.add(verdict.reason);
      }
    }
    t.strictSame([...reasons].sort(), [
      "no_date",
      "no_id",
      "no_value",
      "not_json",
      "not_utf8",
      "type_contradicts_topic",
      "unknown_type",
    ]);
  },
);
