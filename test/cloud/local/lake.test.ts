import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import Database from "better-sqlite3";
import fc from "fast-check";
import t from "tap";
import { encodeShipped } from "../../../agent/contract/shipped.ts";
import { tableFiles } from "../../../cloud/local/catalog.ts";
import { Lake } from "../../../cloud/local/lake.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { lakeFolder, objectName, silent } from "./helpers/lake.ts";
import { linesOf, packed, readingOf } from "./helpers/producer.ts";

const ALL =
  "SELECT turbine, type, id, date, data, gateway, epoch, seq, received, dt FROM readings ORDER BY ALL";

t.test("any splitting, repeating and shuffling of the raw stream gives the same table", async (t) => {
  const readings = Array.from({ length: 30 }, (_, seq) =>
    readingOf(seq + 1, {
      // The same reading said twice, under another number, in another epoch; and some on other days.
      id: `R_${seq % 20}`,
      data: seq % 20,
      type: "Power Factor",
      turbine: "T01",
      date: `2026-11-${String(18 + (seq % 4)).padStart(2, "0")}T12:00:00.000Z`,
      epoch: seq < 20 ? "e1" : "e2",
      received: `2026-11-22T12:00:${String(59 - seq)}.000Z`,
    }),
  );
  const whole = lakeFolder(t.testdir());
  whole.put(objectName(12, "all"), readings.map(encodeShipped).join(""));
  await whole.refresh();
  const expected = await whole.rows(ALL);
  t.equal(expected.length, 20);

  const data = t.testdir();
  let run = 0;
  const deliveries = fc.array(fc.nat(readings.length - 1), { maxLength: 20 });
  const objects = fc.array(fc.nat(5), { minLength: readings.length + 20, maxLength: readings.length + 20 });
  const check = fc.asyncProperty(deliveries, objects, fc.boolean(), async (again, places, twice) => {
    const folder = lakeFolder(join(data, String(run++)));
    const sent = [...readings.keys(), ...again];
    let half = 0;
    for (const place of new Set(places)) {
      const indices = sent.filter((_, position) => places[position] === place);
      folder.put(
        objectName(place, `o${place}`),
        indices.map((index) => encodeShipped(readings[index]!)).join(""),
      );
      if (twice && half++ === 1) await folder.refresh();
    }
    await folder.refresh();
    t.same(await folder.rows(ALL), expected);
  });
  await fc.assert(check, { numRuns: 8 });
});

t.test("a raw object that is damaged costs the damaged bytes and lines only", async (t) => {
  const folder = lakeFolder(t.testdir());
  const good = linesOf(1, 10);
  const bad = [
    "not json",
    '{"id":"a"',
    "[1,2]",
    "null",
    '{"other":"keys"}',
    encodeShipped(readingOf(11)).replace('"data":1.1', '"data":"NaN"').trim(),
    encodeShipped(readingOf(12))
      .replace(/"date":"[^"]*"/, '"date":"yesterday"')
      .trim(),
    encodeShipped(readingOf(13)).replace('"seq":13', '"seq":1.5').trim(),
    "\u0000\u0001 \r",
    "",
  ];
  folder.put(objectName(1, "clean"), good);
  folder.put(objectName(1, "mixed"), `${linesOf(21, 30)}${bad.join("\n")}\n${linesOf(31, 40)}`);
  folder.put(
    objectName(2, "latin1"),
    gzipSync(Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from(linesOf(41, 45))])),
  );
  const torn = packed(linesOf(1_000, 3_000)).subarray(0, 9_000);
  folder.put(objectName(2, "torn"), Buffer.concat([packed(linesOf(51, 52)), torn, packed(linesOf(53, 54))]));
  folder.put(objectName(2, "plain"), Buffer.from(good));
  folder.put(objectName(2, "empty"), Buffer.alloc(0));
  folder.put(objectName(3, "nothing"), "");
  folder.put(objectName(3, "marked"), `\ufeff${linesOf(46, 47)}`);
  const { rejects } = await folder.refresh();

  const seqs = (await folder.rows("SELECT seq FROM readings ORDER BY seq")).map(([seq]) => Number(seq));
  const run = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index);
  t.same(seqs, [...run(1, 10), ...run(21, 45), 47, ...run(51, 54)]);
  t.same(rejects, { not_json: 8, no_id: 1, bad_value: 1, bad_date: 1, no_delivery: 1 });
  const [[mixed]] = (await folder.rows(
    "SELECT line FROM rejects WHERE reason = 'bad_date' AND object LIKE '%mixed.gz'",
  )) as [[string]];
  t.match(mixed, /yesterday/);
  const lost = await folder.rows("SELECT line FROM rejects WHERE object LIKE '%torn.gz'");
  t.same(lost, [["(9000 bytes passed over)"]], "what was lost is counted");
});

t.test("late readings go to their own day, absurd dates to a shelf of their own", async (t) => {
  const folder = lakeFolder(t.testdir());
  const dated = (seq: number, date: string) =>
    encodeShipped(readingOf(seq, { date, received: "2026-11-22T12:00:00.000Z" }));
  folder.put(
    objectName(12, "a"),
    dated(1, "2026-11-02T00:00:00.000Z") + dated(2, "2031-01-01T00:00:00.000Z"),
  );
  folder.put(
    objectName(13, "b"),
    `${encodeShipped(readingOf(3)).replace(/"date":"[^"]*"/, '"date":"2026-11-02"')}`,
  );
  // The original simulators' clock: a day further with each message.
  const days = Array.from({ length: 5_000 }, (_, day) =>
    dated(10 + day, new Date(Date.parse("2026-11-25T00:00:00.000Z") + day * 86_400_000).toISOString()),
  );
  folder.put(objectName(14, "c"), days.join(""));
  await folder.refresh();
  t.same(
    await folder.rows("SELECT dt, count(*) FROM readings WHERE dt < '2026-11-24' GROUP BY dt ORDER BY dt"),
    [["2026-11-02", 2n]],
  );
  t.same(await folder.rows("SELECT count(*), count(DISTINCT dt) FROM readings"), [[5_003n, 5_001n]]);
  t.same(
    readdirSync(`${folder.lake}/curated`).sort(),
    ["2026-11-02", "other"],
    "two files, not five thousand",
  );
});

t.test("a date that was absurd in one hour and is sensible in another is one reading", async (t) => {
  const folder = lakeFolder(t.testdir());
  // Two days and an hour ahead of the first object's hour, within two days of the second's.
  const line = encodeShipped(readingOf(1, { date: "2026-11-24T02:00:00.000Z" }));
  folder.put(objectName(1, "a"), line);
  await folder.refresh();
  t.same(readdirSync(`${folder.lake}/curated`), ["other"]);
  folder.put(objectName(3, "b"), line);
  await folder.refresh();
  t.same(await folder.rows("SELECT count(*) FROM readings"), [[1n]]);
  folder.put(objectName(1, "c"), line);
  await folder.refresh();
  t.same(await folder.rows("SELECT count(*) FROM readings"), [[1n]], "in the other order too");
});

t.test("curating again changes nothing; a new object changes its days only", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(
    objectName(1, "a"),
    linesOf(1, 5) + encodeShipped(readingOf(6, { date: "2026-11-21T00:00:00.000Z" })),
  );
  await folder.refresh();
  const first = tableFiles(folder.lake) ?? [];
  t.equal(first.length, 2);
  await folder.refresh();
  t.same(tableFiles(folder.lake), first);
  folder.put(objectName(1, "b"), linesOf(7, 8));
  await folder.refresh();
  const second = tableFiles(folder.lake) ?? [];
  t.equal(second[0], first[0], "the day before is the same file");
  t.not(second[1], first[1]);
  t.same(await folder.rows("SELECT count(*) FROM readings WHERE dt = '2026-11-22'"), [[7n]]);
});

t.test("what is lost of catalog or table is made again from the raw objects", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(objectName(1, "a"), linesOf(1, 50));
  folder.put(objectName(2, "b"), `${linesOf(51, 60)}junk\n`);
  const { rejects } = await folder.refresh();
  const expected = await folder.rows(ALL);
  const catalog = `${folder.lake}/catalog.db`;
  const damages = {
    "the catalog is gone": () => rmSync(catalog),
    "the catalog is garbage": () => writeFileSync(catalog, "{".repeat(5_000)),
    "the catalog is another conversion's": () => {
      const db = new Database(catalog);
      db.exec("UPDATE conversion SET id = 'other'; UPDATE reasons SET lines = 7");
      db.close();
    },
    "the table's files are gone": () => rmSync(`${folder.lake}/curated`, { recursive: true }),
    "the whole lake is gone": () => rmSync(folder.lake, { recursive: true }),
  };
  for (const [what, damage] of Object.entries(damages)) {
    damage();
    t.same((await folder.refresh()).rejects, rejects, what);
    t.same(await folder.rows(ALL), expected, what);
  }
});

t.test("a raw object that is gone takes no row with it", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(objectName(1, "a"), linesOf(1, 5));
  await folder.refresh();
  rmSync(`${folder.raw}/${objectName(1, "a")}`);
  folder.put(objectName(2, "b"), linesOf(4, 9));
  await folder.refresh();
  t.same(await folder.rows("SELECT count(*), max(seq) FROM readings"), [[9n, 9n]]);
});

t.test("what objects hold besides readings are tables too", async (t) => {
  const folder = lakeFolder(t.testdir());
  const state = {
    ...{ kind: "gateway", gateway: "gw-01", site: "demo", epoch: "e1", first: null, last: 9 },
    ...{ sent: "2026-11-22T01:30:00.000Z", version: "0.2.0", state: "storing", received: 9, buffered: 0 },
    ...{ shipped: 9, rejected: 0, dropped: 0, cpu: 0.004, memory: 80e6, temperature: 41.5, disk_free: 1e9 },
    ...{ clock_synced: true, written_today: 12_345 },
  };
  const line = `${JSON.stringify(state)}\n`;
  folder.put(objectName(1, "a"), Buffer.concat([packed(linesOf(1, 4)), packed(linesOf(6, 9)), packed(line)]));
  folder.put(
    objectName(2, "b"),
    Buffer.concat([Buffer.from("junk\n"), packed(line.replace("true", "false"))]),
  );
  await folder.refresh();
  t.same(
    await folder.rows(
      "SELECT gateway, epoch, first, last, lines, dup FROM windfarm.deliveries ORDER BY first",
    ),
    [
      ["gw-01", "e1", 1n, 4n, 4n, 0n],
      ["gw-01", "e1", 6n, 9n, 4n, 0n],
    ],
  );
  t.same(
    await folder.rows(
      "SELECT first, last, received, cpu, temperature, clock_synced, sent FROM gateways ORDER BY object",
    ),
    [true, false].map((synced) => [null, 9n, 9n, 0.004, 41.5, synced, new Date(state.sent)]),
  );
  t.same(await folder.rows("SELECT reason, object, line FROM rejects"), [
    ["not_json", objectName(2, "b"), "junk"],
  ]);
});

t.test("an object is taken when it is told of, what others have put there at the next look", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(objectName(2, "new"), linesOf(6, 9));
  const lake = new Lake({ root: folder.lake, threads: 1 }, new RawStore(folder.raw), silent);
  await lake.start();
  lake.add(objectName(2, "new"));
  t.ok(lake.isBehind);
  while (lake.isBehind) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(lake.catalog.sums().rows, 4);
  folder.put(objectName(1, "old"), linesOf(1, 5));
  await lake.refresh();
  t.equal(lake.catalog.sums().rows, 9);
  await lake.stop();
});

t.test("a reader that polls while days are replaced never sees fewer rows", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(objectName(0, "first"), linesOf(1, 10));
  await folder.refresh();
  let going = true;
  const counts: number[] = [];
  const poll = async () => {
    while (going) counts.push(Number((await folder.rows("SELECT count(*) FROM readings"))[0]?.[0]));
  };
  const polling = poll();
  for (let round = 1; round <= 6; round++) {
    folder.put(objectName(round, "more"), linesOf(round * 100, round * 100 + 49));
    await folder.refresh();
  }
  going = false;
  await polling;
  t.same(
    counts,
    counts.toSorted((a, b) => a - b),
    `${counts.length} looks`,
  );
  t.equal((await folder.rows("SELECT count(*) FROM readings"))[0]?.[0], 310n);
});
