/**
 * What arrives in different runs: each reading once, whatever the order; a changed text, a vanished object, a table that
 * somebody dropped or changed.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { namedQueries, sqlFolder } from "../../../cloud/sql/read.ts";
import { askSpark, curate, sparkMissing } from "./spark.ts";

const folder = t.testdir();
const places = { raw: join(folder, "raw"), lake: join(folder, "work/lake") };
const skip = sparkMissing();

interface Said {
  gateway?: string;
  seq: number;
  id?: string;
  day?: boolean;
  dup?: boolean;
  date?: string;
  type?: string;
}

function line({
  gateway = "gw",
  seq,
  id = "x",
  date = "2026-11-22T12:00:00.000Z",
  type = "Power Factor",
  ...marks
}: Said) {
  const received = `2026-11-22T12:00:${String(seq % 60).padStart(2, "0")}.000Z`;
  return JSON.stringify({
    id,
    data: 1,
    type,
    date,
    turbine: "T1",
    gateway,
    epoch: "e",
    seq,
    received,
    ...marks,
  });
}

function put(name: string, lines: readonly string[], at = "dt=2026-11-22/hr=12"): string {
  const path = join(places.raw, "readings", at, `${name}.gz`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, gzipSync(`${lines.join("\n")}\n`));
  return path;
}

async function table(lake = places.lake): Promise<string[]> {
  const sql = "SELECT gateway, seq, day, dup FROM readings ORDER BY gateway, seq";
  const { rows = [] } = await askSpark(lake, { rows: sql });
  return rows.map(([gateway, seq, day, dup]) => `${gateway} ${seq}${day ? " day" : ""}${dup ? " dup" : ""}`);
}

/** What the audit asks. */
function gapsNow(): string {
  const { sql = "" } = namedQueries().find(({ name }) => name === "delivery-gaps") ?? {};
  return sql;
}

const DAY = { day: true, date: "2026-11-22" };

/** What each gateway's lines say in the first run and in the second, and which stay. */
const CASES: Record<string, [first: Omit<Said, "gateway">[], then: Omit<Said, "gateway">[], stay: string[]]> =
  {
    again: [[{ seq: 1 }], [{ seq: 1 }], ["1"]],
    equal: [[{ seq: 2 }], [{ seq: 1 }], ["2"]],
    "day-again": [[{ seq: 1, ...DAY }], [{ seq: 1, ...DAY }], ["1 day"]],
    "day-two": [[{ seq: 1, ...DAY }], [{ seq: 2, ...DAY }], ["1 day", "2 day"]],
    "day-redelivered": [[{ seq: 1, ...DAY }], [{ seq: 2, ...DAY, dup: true }], ["1 day"]],
    "dup-first": [
      [{ seq: 1, ...DAY, dup: true }],
      [
        { seq: 2, ...DAY },
        { seq: 3, ...DAY },
      ],
      ["2 day", "3 day"],
    ],
    "dup-alone": [[{ seq: 1, ...DAY, dup: true }], [{ seq: 2, ...DAY, dup: true }], ["1 day dup"]],
    // The second is so late that its date is absurd there; the first was not.
    late: [
      [{ seq: 1, date: "2025-11-01T00:00:00.000Z" }],
      [{ seq: 2, date: "2025-11-01T00:00:00.000Z" }],
      ["1"],
    ],
  };

t.test("the Glue job over several runs", { skip, timeout: 840_000 }, async (t) => {
  const named = Object.entries(CASES);
  const linesOf = (which: 0 | 1) =>
    named.flatMap(([gateway, said]) => said[which].map((says) => line({ gateway, ...says })));
  const expected = named.flatMap(([gateway, [, , stay]]) => stay.map((says) => `${gateway} ${says}`)).sort();
  put("a", linesOf(0));
  for (let day = 2; day < 10; day++) put("none", ["no reading"], `dt=2027-03-0${day}/hr=00`);
  await curate(places);

  await t.test("keeps each reading once, in every order of arrival", async (t) => {
    put("b", linesOf(1), "dt=2027-03-10/hr=00");
    await curate(places);
    t.same((await table()).sort(), expected);
  });

  await t.test("looks for new objects among the newest days, and once a day among all", async (t) => {
    put("late", ["no reading"], "dt=2026-11-23/hr=00");
    t.match(await curate(places), { objects: 0, Missing: 0 });
    const yesterdays = Buffer.from("2026-11-22 readings/dt=2027-03-02").toString("hex");
    await askSpark(places.lake, {
      note: `ALTER TABLE deliveries SET TBLPROPERTIES ('windfarm.listed' = '${yesterdays}')`,
    });
    t.match(await curate(places), { objects: 1 });
  });

  const counted = { rejects: "SELECT count(*) FROM rejects", gaps: gapsNow() };

  await t.test("makes the tables anew where somebody dropped one", async (t) => {
    const told = await askSpark(places.lake, counted);
    for (const [dropped, loaded] of [
      ["rejects", 0],
      ["deliveries", 0],
      ["readings", expected.length],
    ] as const) {
      rmSync(join(places.lake, "curated/windfarm", dropped), { recursive: true });
      const { objects, rows, Missing } = await curate(places);
      t.same([objects, rows, Missing], [11, loaded, 0], `all is looked at again without ${dropped}`);
    }
    // Of equal deliveries that are loaded at once the first received stays.
    expected[expected.indexOf("equal 2")] = "equal 1";
    t.same((await table()).sort(), expected, "nothing is twice and nothing gone");
    t.same(await askSpark(places.lake, counted), told);
  });

  await t.test("mends the ledger where somebody took rows out, and counts doubled ones once", async (t) => {
    const told = await askSpark(places.lake, counted);
    await askSpark(places.lake, {
      doubled: "INSERT INTO deliveries SELECT * FROM deliveries",
      taken: "DELETE FROM deliveries WHERE object LIKE '%/a.gz'",
      note: "ALTER TABLE deliveries UNSET TBLPROPERTIES ('windfarm.listed')",
    });
    const { objects, rows, Missing } = await curate(places);
    t.same([objects, rows, Missing], [1, 0, 0], "an object that is named no more is loaded again");
    t.same(await askSpark(places.lake, counted), told);

    await askSpark(places.lake, { taken: "DELETE FROM deliveries WHERE gateway = 'day-two' AND first = 1" });
    t.match(await curate(places), { Missing: 1 }, "a run that is named no more is missing");
    await curate(places, ["--from", "2026-11-22", "--to", "2026-11-22"]);
    t.match(await curate(places), { Missing: 0 }, "until its day is loaded again");
    t.same((await table()).sort(), expected);
    t.same(await askSpark(places.lake, counted), told);
  });

  await t.test(
    "converts what arrived on a day again by another text, and keeps what has vanished",
    async (t) => {
      const sql = join(folder, "strict");
      await cp(sqlFolder(), sql, { recursive: true });
      const check = readFileSync(join(sql, "check.sql"), "utf8");
      writeFileSync(
        join(sql, "check.sql"),
        check.replace("WHEN type IS NULL", "WHEN gateway = 'again' OR type IS NULL"),
      );
      rmSync(join(places.raw, "readings/dt=2027-03-10/hr=00/b.gz"));
      const kept = await table();
      await curate({ ...places, sql }, ["--from", "2026-11-22", "--to", "2026-11-22"]);
      t.same(
        await table(),
        kept.filter((row) => row !== "again 1"),
      );
      await curate(places, ["--from", "2026-11-22", "--to", "2026-11-22"]);
      t.same(await table(), kept);
    },
  );
});
