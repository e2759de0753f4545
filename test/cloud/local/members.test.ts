/** Raw objects taken apart: thousands of members, and everything that can stand between them. */

import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import t from "tap";
import { piecesOf } from "../../../cloud/local/members.ts";
import { look, MAX_LINE_BYTES, tidy } from "../../../cloud/local/tidy.ts";
import { lakeFolder, objectName } from "./helpers/lake.ts";
import { linesOf, packed } from "./helpers/producer.ts";

const MEMBERS = 2_500;
const LINES_A_MEMBER = 12;
/** Members of the object that is damaged. */
const DAMAGED = 300;

const LONG = { turbine: `T-${"x".repeat(2_200)}` };

t.test("2 500 members of more than 64 MB are read to the last line, sound or damaged", async (t) => {
  const data = t.testdir({ sound: {}, damaged: {} });
  const folder = lakeFolder(`${data}/sound`);
  const members = Array.from({ length: MEMBERS }, (_, index) => {
    const first = index * LINES_A_MEMBER + 1;
    return packed(linesOf(first, first + LINES_A_MEMBER - 1, LONG));
  });
  const bytes = gunzipSync(Buffer.concat(members)).length;
  t.ok(bytes > 64 * 1024 ** 2, `${bytes} bytes`);
  folder.put(objectName(1, "sound"), Buffer.concat(members));
  const whole = MEMBERS * LINES_A_MEMBER;
  t.equal((await folder.refresh()).rows, whole);

  const foreign = Buffer.from([0xf3, 0x89, 0x9a, 0xc2, 0x0a, 0x01, 0x61, 0x1a, 0x04]);
  const mended = lakeFolder(`${data}/damaged`);
  const torn = members[9]?.subarray(0, -3) ?? Buffer.alloc(0);
  const damaged = Buffer.concat([...members.slice(0, 9), torn, foreign, ...members.slice(10, DAMAGED)]);
  mended.put(objectName(1, "damaged"), damaged);
  const { rows, rejects } = await mended.refresh();
  t.equal(rows, (DAMAGED - 1) * LINES_A_MEMBER, "the torn member's lines and no others are missing");
  t.same(rejects, { not_json: 1 });
  t.same(await mended.rows("SELECT line FROM rejects"), [
    [`(${torn.length + foreign.length} bytes passed over)`],
  ]);
});

const kinds = {
  member: fc
    .string()
    .map((text) => ({ lines: [`m.${encodeURI(text)}`], bytes: packed(`m.${encodeURI(text)}\n`) })),
  unended: fc.nat().map((n) => ({ lines: [`u ${n}`], bytes: packed(`u ${n}`) })),
  plain: fc.nat().map((n) => ({ lines: [`p ${n}`], bytes: Buffer.from(`p ${n}\n`) })),
  torn: fc.nat(12).map((cut) => ({ lines: [], bytes: gzipSync("torn\n").subarray(0, 4 + cut) })),
  zeros: fc.integer({ min: 1, max: 600 }).map((n) => ({ lines: [], bytes: Buffer.alloc(n) })),
  flipped: fc.nat().map((n) => {
    const bytes = gzipSync(`flipped ${n}\n`);
    bytes.writeUInt32LE((bytes.readUInt32LE(bytes.length - 8) ^ 1) >>> 0, bytes.length - 8);
    return { lines: [], bytes };
  }),
};

t.test("whatever stands between them, every whole member and plain line is read", async (t) => {
  const folder = t.testdir();
  let run = 0;
  const check = fc.asyncProperty(
    fc.array(fc.oneof(...Object.values(kinds)), { maxLength: 12 }),
    async (parts) => {
      const path = `${folder}/${run++}`;
      // A line ends what was torn before it, as one of a producer's records would.
      const object = Buffer.concat(parts.flatMap(({ bytes }) => [bytes]));
      const pieces = [...piecesOf(object)].map((piece) => ("member" in piece ? piece.member : piece.stretch));
      const members = [...piecesOf(object)].flatMap((piece) =>
        "member" in piece ? [piece.member.toString()] : [],
      );
      const wanted = parts.flatMap(({ lines }) => lines).filter((line) => /^[mu]/.test(line));
      t.same(
        members.map((text) => text.trim()),
        wanted,
      );
      t.ok(pieces.every(({ length }) => length > 0));
      writeFileSync(path, object);
      await tidy("object", path, `${path}.tidy`);
      const rows = gunzipSync(readFileSync(`${path}.tidy`)).toString();
      for (const line of wanted) t.ok(rows.includes(JSON.stringify(line)), line);
    },
  );
  await fc.assert(check, { numRuns: 60 });
});

t.test("an object is sound only if nothing of it is passed over without a word", async (t) => {
  const two = [packed(linesOf(1, 2)), packed(linesOf(3, 4))] as const;
  const objects = {
    sound: Buffer.concat(two),
    zeros: Buffer.concat([two[0], Buffer.alloc(512), two[1]]),
    tail: Buffer.concat([...two, Buffer.from("plain\n")]),
    torn: Buffer.concat(two).subarray(0, -1),
    marked: packed("\ufeff{}\n"),
    empty: Buffer.alloc(0),
  };
  const folder = t.testdir(objects);
  for (const name of Object.keys(objects)) {
    t.equal((await look(`${folder}/${name}`)).sound, name === "sound", name);
  }
  const far = packed(`${"x".repeat(16 * 1024 - 3)}"kind"\n`);
  t.match(await look(`${t.testdir({ far })}/far`), { sound: true, kinds: true }, "across two chunks");
});

t.test("a line that no engine reads is a reject, and costs no other", async (t) => {
  const folder = lakeFolder(t.testdir());
  const padded = (seq: number, bytes: number) => linesOf(seq, seq).trim().padEnd(bytes);
  const lines = [
    padded(1, MAX_LINE_BYTES - 1),
    padded(2, MAX_LINE_BYTES),
    "",
    padded(3, 3 * MAX_LINE_BYTES),
    linesOf(4, 4, { turbine: "x".repeat(40 * MAX_LINE_BYTES) }).trim(),
    padded(5, 0),
    "z".repeat(2 * MAX_LINE_BYTES),
  ];
  folder.put(objectName(1, "sound"), lines.join("\n"));
  folder.put(objectName(1, "between"), Buffer.concat([packed("{}\n"), Buffer.from(lines.join("\n"))]));
  const { rows, rejects } = await folder.refresh();
  t.equal(rows, 2);
  t.same(rejects, { no_id: 1, not_json: 4 + 1 }, "between members they are counted together");
  t.same((await folder.rows("SELECT max(length(line)) FROM rejects"))[0], [4_096]);
});
