import { crc32 } from "node:zlib";
import fc from "fast-check";
import t from "tap";
import { encodeBody } from "../../agent/buffer/codec.ts";
import { isShippedReading, readableLines } from "../../agent/buffer/lines.ts";
import { mendGroup, repairBit } from "../../agent/buffer/mend.ts";
import { encodeShipped } from "../../agent/contract/shipped.ts";

const line = (seq: number) =>
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
  });

function group(count: number) {
  const lines = Buffer.from(Array.from({ length: count }, (_, index) => line(index + 1)).join(""));
  return { lines, row: { key: 1, count, bytes: lines.length, received: 0, ...encodeBody(lines) } };
}

t.test("any one flipped bit is found by the checksum and put right", async () => {
  const property = fc.property(fc.constantFrom(1, 3, 200), fc.nat(), (count, place) => {
    const { lines, row } = group(count);
    const bit = place % (row.body.length * 8);
    const body = Buffer.from(row.body);
    body.writeUInt8(body.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
    const mended = mendGroup({ ...row, body });
    return mended.lost === 0 && mended.body.equals(lines) && mended.row.body.equals(row.body);
  });
  fc.assert(property, { numRuns: 60 });
});

t.test("of worse damage the whole lines are saved and the rest is counted", async (t) => {
  const { lines, row } = group(4);
  const body = Buffer.from(row.body);
  body.fill(0, lines.indexOf("PP_3"), lines.indexOf("PP_3") + 20);
  t.equal(repairBit({ ...row, body }), undefined);
  const mended = mendGroup({ ...row, body });
  t.equal(mended.lost, 1);
  t.equal(mended.body.toString(), line(1) + line(2) + line(4));
  t.equal(mended.row.count, 3);
  t.equal(mended.row.crc, crc32(mended.row.body));
});

t.test("of a deflated body what stands before the damage is saved", async (t) => {
  const { row } = group(500);
  const body = Buffer.from(row.body);
  body.fill(0xff, body.length >>> 1);
  const mended = mendGroup({ ...row, body });
  t.ok(mended.lost > 0 && mended.lost < 400, `${mended.lost} of 500 lost`);
  t.equal(mended.row.count, 500 - mended.lost);
});

t.test("a line is a shipped reading only with exactly its fields, in their order", async (t) => {
  const good = line(1).trim();
  t.ok(isShippedReading(good));
  for (const bad of [
    "",
    "[]",
    good.replace('"seq":1', '"seq":0'),
    good.replace('"seq":1', '"seq":"1"'),
    good.replace('"epoch":"t8k2q1",', ""),
    good.replace('"gateway"', '"gatewaz"'),
    good.replace("2026-11-22T12:00:00.112Z", "2026-11-22"),
    `${good.slice(0, -1)},"more":1}`,
    good.slice(0, -1),
  ]) {
    t.notOk(isShippedReading(bad), bad);
  }
  t.equal(readableLines(Buffer.from(`x${line(1)}${line(2)}${line(3).slice(0, 50)}`)).toString(), line(2));
});
