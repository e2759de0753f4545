/** Whatever a message is, the validator answers; what it can't read it sets aside. */

import t from "tap";
import { DEFAULT_SENSORS } from "../../agent/contract/sensors.ts";
import { Validator } from "../../agent/validate/validator.ts";

const TOPIC = "windfarm/T07/power-factor";
/** The largest packet that can be configured. */
const MAX_PACKET = 512 * 1024;

const validator = () =>
  new Validator({ topic: "windfarm/+/+", timezone: "UTC", sensors: Object.values(DEFAULT_SENSORS) });

/** A payload whose `field` is nested as deeply as a packet allows. */
function nested(field: string, open: string, close: string): Buffer {
  const depth = Math.floor((MAX_PACKET - 200) / (open.length + close.length));
  const value = `${open.repeat(depth)}1${close.repeat(depth)}`;
  const fields: Record<string, string> = {
    id: '"PP_1"',
    data: "0.97",
    type: '"Power Factor"',
    date: '"2026-11-22T12:00:00.000Z"',
  };
  const text = Object.entries({ ...fields, [field]: value }).map(([key, json]) => `"${key}":${json}`);
  return Buffer.from(`{${text.join(",")}}`);
}

for (const field of ["id", "data", "type", "date"] as const) {
  for (const [open, close] of [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const) {
    t.test(`${field} nested in ${open} as deeply as a packet allows is a rejection`, async (t) => {
      const verdict = validator().check(TOPIC, nested(field, open, close));
      t.match(verdict, { reason: "not_json", detail: "the payload is nested too deeply" });
    });
  }
}

t.test("a message that breaks the reader is set aside and counted", async (t) => {
  const broken = validator();
  const payload = new Proxy(Buffer.from("{}"), {
    get(bytes, key) {
      if (key === "0") throw new RangeError("out of the ordinary");
      return Reflect.get(bytes, key, bytes);
    },
  });
  t.match(broken.check(TOPIC, payload), {
    reason: "internal",
    detail: "reading it failed: out of the ordinary",
  });
  t.match(broken.stats().rejected, { internal: 1 });
});
