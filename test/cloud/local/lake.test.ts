import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import t from "tap";
import { encodeShipped } from "../../../agent/contract/shipped.ts";
import { readCatalog } from "../../../cloud/local/catalog.ts";
import { Lake } from "../../../cloud/local/lake.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { conversionId } from "../../../cloud/sql/read.ts";
import { lakeFolder, objectName, silent } from "./helpers/lake.ts";
import { linesOf, readingOf } from "./helpers/producer.ts";

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

t.test("a raw object that is damaged costs the damaged lines only", async (t) => {
  const folder = lakeFolder(t.testdir());
  const good = linesOf(1, 10);
  const long = linesOf(1_000, 3_000);
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
  folder.put(objectName(2, "cut"), gzipSync(long).subarray(0, 9_000));
  folder.put(objectName(2, "plain"), Buffer.from(good));
  folder.put(objectName(2, "empty"), Buffer.alloc(0));
  folder.put(objectName(3, "nothing"), "");
  folder.put(objectName(3, "marked"), `\ufeff${linesOf(46, 47)}`);
  const lake = await folder.refresh();

  const seqs = (await folder.rows("SELECT seq FROM readings WHERE seq < 1000 ORDER BY seq")).map(([seq]) =>
    Number(seq),
  );
  const run = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index);
  t.same(seqs, [...run(1, 10), ...run(21, 45), 47]);
  const [[saved]] = (await folder.rows("SELECT count(*) FROM readings WHERE seq >= 1000")) as [[bigint]];
  t.ok(saved > 100n && saved < 2_001n, `${saved} readings of the object that is cut short`);
  t.same(Object.fromEntries(lake.index.rejects), {
    not_json: 10,
    no_id: 1,
    bad_value: 1,
    bad_date: 1,
    no_delivery: 1,
  });
  const rejects = readFileSync(`${folder.lake}/rejects/dt=2026-11-22/hr=01/mixed.ndjson`, "utf8");
  t.match(rejects, /"reason":"bad_date".*"line":".*yesterday/);
  t.match(readFileSync(`${folder.lake}/rejects/dt=2026-11-22/hr=02/plain.ndjson`, "utf8"), /cut short/);
});

t.test("late readings, future ones and those of day-level dates go to their own day", async (t) => {
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
  await folder.refresh();
  t.same(await folder.rows("SELECT dt, count(*), min(date) FROM readings GROUP BY dt ORDER BY dt"), [
    ["2026-11-02", 2n, new Date("2026-11-02T00:00:00.000Z")],
    ["2031-01-01", 1n, new Date("2031-01-01T00:00:00.000Z")],
  ]);
});

t.test("curating again changes nothing; a new object changes its days only", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(
    objectName(1, "a"),
    linesOf(1, 5) + encodeShipped(readingOf(6, { date: "2026-11-21T00:00:00.000Z" })),
  );
  await folder.refresh();
  const first = await readCatalog(folder.lake);
  await folder.refresh();
  t.same(await readCatalog(folder.lake), first);
  folder.put(objectName(1, "b"), linesOf(7, 8));
  await folder.refresh();
  const second = await readCatalog(folder.lake);
  t.same(second?.days["2026-11-21"], first?.days["2026-11-21"]);
  t.equal(second?.days["2026-11-22"]?.rows, 7);
});

t.test("what is lost of catalog, index or table is made again from the raw objects", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(objectName(1, "a"), linesOf(1, 50));
  folder.put(objectName(2, "b"), `${linesOf(51, 60)}junk\n`);
  await folder.refresh();
  const expected = await folder.rows(ALL);
  const index = `${folder.lake}/index/dt=2026-11-22/hr=01.ndjson`;
  const damages = {
    "the catalog is gone": () => rmSync(`${folder.lake}/catalog.json`),
    "the catalog is garbage": () => writeFileSync(`${folder.lake}/catalog.json`, "{"),
    "a line of the index is torn": () => writeFileSync(index, readFileSync(index, "utf8").slice(0, -20)),
    "the index is gone": () => rmSync(`${folder.lake}/index`, { recursive: true }),
    "the table's files are gone": () => rmSync(`${folder.lake}/curated`, { recursive: true }),
    "the whole lake is gone": () => rmSync(folder.lake, { recursive: true }),
  };
  for (const [what, damage] of Object.entries(damages)) {
    damage();
    await folder.refresh();
    t.same(await folder.rows(ALL), expected, what);
  }
  t.notOk(existsSync(`${folder.lake}/catalog.json.tmp`));
});

t.test("what another text has read is read again, and what it made is made again", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(objectName(1, "a"), linesOf(1, 5));
  folder.put(objectName(2, "b"), `${linesOf(6, 9)}junk\n`);
  await folder.refresh();
  const expected = await folder.rows(ALL);
  const catalog = `${folder.lake}/catalog.json`;
  const index = `${folder.lake}/index/dt=2026-11-22/hr=01.ndjson`;
  const rejects = `${folder.lake}/rejects/dt=2026-11-22/hr=01/a.ndjson`;
  // As a text would have left it that took the lines of the object for bad ones, and one of them for another day's.
  const [entry] = readFileSync(index, "utf8").trim().split("\n");
  const other = {
    ...JSON.parse(entry ?? ""),
    conversion: "other",
    readings: 0,
    days: {},
    rejects: { bad_date: 5 },
  };
  writeFileSync(index, `${JSON.stringify(other)}\n`);
  mkdirSync(dirname(rejects), { recursive: true });
  writeFileSync(rejects, '{"reason":"bad_date"}\n');
  const made = JSON.parse(readFileSync(catalog, "utf8"));
  const day = { ...made.days["2026-11-22"], conversion: "other" };
  writeFileSync(catalog, JSON.stringify({ ...made, days: { "2026-11-22": day, "2001-01-01": day } }));

  const lake = await folder.refresh();
  t.same(await folder.rows(ALL), expected);
  t.same(Object.fromEntries(lake.index.rejects), { not_json: 1 });
  t.notOk(existsSync(rejects), "the rejects of the other text are gone");
  t.ok(existsSync(rejects.replace("hr=01/a", "hr=02/b")), "those of this one are there");
  const now = await readCatalog(folder.lake);
  t.match(now?.days["2001-01-01"], { rows: 0, files: [] }, "a day that has nothing any more is empty");
  t.equal(now?.days["2026-11-22"]?.conversion, conversionId());
  await folder.refresh();
  t.same(await readCatalog(folder.lake), now, "and then it is done");
});

t.test("a lake that begins with a new object makes no day without the old ones", async (t) => {
  const folder = lakeFolder(t.testdir());
  folder.put(objectName(1, "old"), linesOf(1, 5));
  folder.put(objectName(2, "new"), linesOf(6, 9));
  const lake = new Lake({ root: folder.lake, threads: 1 }, new RawStore(folder.raw), silent);
  await lake.start();
  lake.add(objectName(2, "new"));
  while (lake.rows === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(lake.rows, 9);
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
  t.ok(readdirSync(`${folder.lake}/curated/readings/dt=2026-11-22`).length >= 1);
});
