import t from "tap";
import { isShippedReading, readableLines } from "../../agent/buffer/lines.ts";
import { encodeShipped } from "../../agent/contract/shipped.ts";

const line = (seq: number, more: { id?: string; day?: boolean; dup?: boolean } = {}) =>
  encodeShipped({
    id: `PP_${seq}`,
    data: seq / 7,
    type: "Power Factor",
    date: "2026-11-22T12:00:00.000Z",
    turbine: "T07",
    gateway: "gw-01",
    epoch: "t8k2q1",
    seq,
    received: "2026-11-22T12:00:00.112Z",
    ...more,
  });

t.test("a line is a shipped reading only with exactly its fields, in their order", async (t) => {
  const good = line(1).trim();
  t.ok(isShippedReading(good));
  for (const marks of [{ day: true }, { dup: true }, { day: true, dup: true }, { id: "a\ufffdb" }])
    t.ok(isShippedReading(line(1, marks).trim()), JSON.stringify(marks));
  for (const bad of [
    "",
    "[]",
    good.replace('"seq":1', '"seq":0'),
    good.replace('"seq":1', '"seq":"1"'),
    good.replace('"epoch":"t8k2q1",', ""),
    good.replace('"gateway"', '"gatewaz"'),
    good.replace("2026-11-22T12:00:00.112Z", "2026-11-22"),
    `${good.slice(0, -1)},"more":1}`,
    `${good.slice(0, -1)},"day":false}`,
    `${good.slice(0, -1)},"dup":true,"day":true}`,
    good.slice(0, -1),
  ]) {
    t.notOk(isShippedReading(bad), bad);
  }
});

t.test("bytes that are no text are no reading, a replacement character that was sent is one", async (t) => {
  const broken = Buffer.from(line(3));
  broken[8] = 0xff;
  const lines = Buffer.concat([Buffer.from(`x${line(1)}`), Buffer.from(line(2, { id: "\ufffd" })), broken]);
  t.equal(readableLines(lines).toString(), line(2, { id: "\ufffd" }));
});
