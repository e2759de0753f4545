/** Raw objects of every kind of damage: the Glue job and the local lake keep and reject the same lines. */

import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { z } from "zod";
import { indexFileOf, rejectsFileOf } from "../../../cloud/layout.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { sqlFolder } from "../../../cloud/sql/read.ts";
import { dates, edgeLines, line, notTexts, oddJson, values } from "./edge-lines.ts";
import { shrunken } from "./poller.ts";
import { curate, sparkMissing } from "./spark.ts";
import { compare, curateByDuckDb } from "./tables.ts";

const skip = sparkMissing();
const folder = t.testdir();
const raw = new RawStore(join(folder, "raw"));
const bySpark = join(folder, "spark/lake");
const byDuckDb = join(folder, "duckdb/lake");

function many(name: string, count: number): string {
  return Array.from(
    { length: count },
    (_, n) => `${line(`${name}_${n}`, { seq: n, data: Math.sin(n) })}\n`,
  ).join("");
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

const long = gzipSync(Buffer.from(many("long", 3_000)));
const OBJECTS: Record<string, Buffer> = {
  clean: gzipSync(many("clean", 10)),
  "one-bad-line": gzipSync(`${line("a")}\nnot json\n${line("b")}\n`),
  "cut-in-a-line": long.subarray(0, Math.floor(long.length / 2)),
  "cut-at-the-end": gzipSync(many("end", 5)).subarray(0, -8),
  "cut-to-nothing": long.subarray(0, 5),
  empty: Buffer.alloc(0),
  "empty-gzip": gzipSync(""),
  "not-gzip": Buffer.from(many("plain", 3)),
  "flipped-early": flipped(long, 100),
  "flipped-late": flipped(long, long.length - 200),
  "wrong-digest": flipped(long, long.length - 6),
  "two-members": Buffer.concat([gzipSync(many("first", 3)), gzipSync(`${many("second", 3)}nonsense\n`)]),
  padded: Buffer.concat([gzipSync(`${many("padded", 3)}x\n`), Buffer.alloc(64)]),
  "other-keys": gzipSync('{"a":1}\n{}\n[]\n"text"\n5\nnull\n'),
  "odd-json": gzipSync(oddJson().join("\n")),
  "line-ends": gzipSync(`${line("cr")}\r${line("crlf")}\r\n${line("separator\u2028")}\nx\u0085y\n`),
  "not-utf8": gzipSync(
    Buffer.concat([Buffer.from(line("latin")), Buffer.from([0xe9, 0x0a, 0xc3, 0x28, 0x0a])]),
  ),
  "not-texts": gzipSync(notTexts().join("\n")),
  dates: gzipSync(dates().join("\n")),
  values: gzipSync(values().join("\n")),
  // An object that is clean is read by another way than one with a bad line, so each line comes alone too.
  ...Object.fromEntries(edgeLines().map((text, n) => [`alone-${n}`, gzipSync(`${text}\n`)])),
};

const KEYS = Object.entries(OBJECTS).map(([name, bytes], index) => {
  const key = `readings/dt=2026-11-22/hr=${String(index % 3).padStart(2, "0")}/${name}.gz`;
  return { name, key, bytes };
});

const Entry = z.object({
  object: z.string(),
  conversion: z.string(),
  readings: z.number(),
  days: z.record(z.string(), z.number()),
  rejects: z.record(z.string(), z.number()),
});

function entryOf(lake: string, key: string): unknown {
  const lines = readFileSync(join(lake, indexFileOf(key)), "utf8")
    .trim()
    .split("\n");
  return lines.map((text) => Entry.parse(JSON.parse(text))).find(({ object }) => object === key);
}

function rejectsOf(lake: string, key: string): string[] {
  try {
    // DuckDB's client for Node drops a byte order mark at the beginning of a text.
    return readFileSync(join(lake, rejectsFileOf(key)), "utf8")
      .replaceAll("\ufeff", "")
      .split("\n");
  } catch {
    return [];
  }
}

t.test("the Glue job on damaged raw objects", { skip, timeout: 600_000 }, async (t) => {
  for (const { key, bytes } of KEYS) {
    mkdirSync(dirname(raw.path(key)), { recursive: true });
    writeFileSync(raw.path(key), bytes);
  }
  await curateByDuckDb(raw, byDuckDb);
  const counts = await curate({ raw: raw.root, lake: bySpark });
  t.comment(JSON.stringify(counts));

  for (const { name, key } of KEYS) {
    await t.test(`keeps and rejects the same lines of an object that is ${name}`, async (t) => {
      t.same(entryOf(bySpark, key), entryOf(byDuckDb, key));
      t.same(rejectsOf(bySpark, key), rejectsOf(byDuckDb, key));
    });
  }

  await t.test("makes the same table of them", async (t) => {
    const { rows, onlyIn, types } = await compare(bySpark, byDuckDb, join(folder, "tmp"));
    t.ok(rows[0] > 3_000, `${rows[0]} rows`);
    t.same(onlyIn, [0, 0]);
    t.same(types[0], types[1]);
  });

  await t.test("would be found out if it kept duplicates", async (t) => {
    const sql = join(folder, "sql");
    cpSync(sqlFolder(), sql, { recursive: true });
    const curated = readFileSync(join(sql, "curate.sql"), "utf8");
    const broken = curated.replace("WHERE delivery = 1 AND", "WHERE");
    t.not(broken, curated);
    writeFileSync(join(sql, "curate.sql"), broken);
    const lake = join(folder, "broken/lake");
    await curate({ raw: raw.root, lake, sql });
    const { onlyIn } = await compare(lake, byDuckDb, join(folder, "tmp"));
    t.ok(onlyIn[0] > 0, `${onlyIn[0]} rows too many were seen`);
  });
});

t.test("a day that is missing or smaller for a moment would be seen", async (t) => {
  const days = (first: number, second: number) =>
    new Map([
      ["2026-11-01", first],
      ["2026-11-02", second],
    ]);
  t.equal(shrunken([days(3, 1), days(3, 2), days(4, 2)]), undefined);
  t.equal(shrunken([days(3, 1), days(2, 2), days(4, 2)]), "2026-11-01");
  t.equal(shrunken([days(3, 1), new Map([["2026-11-01", 3]])]), "2026-11-02");
});
