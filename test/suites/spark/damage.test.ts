/** Raw objects of every kind of damage: the Glue job and DuckDB keep and reject the same lines. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { dates, edgeLines, line, notTexts, oddJson, values } from "./edge-lines.ts";
import { curate, sparkMissing } from "./spark.ts";
import { ALL_COLUMNS, differing, rowsOf, tablesByDuckDb } from "./tables.ts";

const skip = sparkMissing();
const folder = t.testdir();
const raw = new RawStore(join(folder, "raw"));
const lake = join(folder, "spark/lake");

let seq = 0;

function many(name: string, count: number): string {
  return Array.from(
    { length: count },
    (_, n) => `${line(`${name}_${n}`, { seq: ++seq, data: Math.sin(n) })}\n`,
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
  "two-thousand-members": Buffer.concat(
    Array.from({ length: 2_000 }, (_, n) => gzipSync(many(`member-${n}`, 3))),
  ),
  "torn-between": Buffer.concat([gzipSync(many("t1", 3)), long.subarray(0, 300), gzipSync(many("t2", 3))]),
  "foreign-between": Buffer.concat([
    gzipSync(many("f1", 3)),
    Buffer.from([0, 255, 31, 139, 8, 1]),
    gzipSync(many("f2", 3)),
  ]),
  "lines-between": Buffer.concat([
    gzipSync(many("l1", 3)),
    Buffer.from(many("l2", 3)),
    gzipSync(many("l3", 3)),
  ]),
  "of-64-mb": Buffer.concat(
    Array.from({ length: 70 }, (_, n) =>
      gzipSync(`${line(`pad-${n}`, { seq: 500_000 + n })}${" ".repeat(1_000_000)}\n`),
    ),
  ),
  kinds: gzipSync(
    [
      {
        kind: "gateway",
        gateway: "gw-01",
        epoch: "e1",
        sent: "2026-11-22T12:00:00.000Z",
        received: 3,
        cpu: 0.5,
        first: null,
      },
      { kind: "gateway", gateway: "gw-01", epoch: "e1", sent: "2026-02-30T12:00:00.000Z" },
      { kind: "gateway", gateway: "", epoch: "e1", sent: "2026-11-22T12:00:00.000Z", last: "x" },
      { kind: "other" },
      { kind: 5 },
      { kind: {} },
    ]
      .map((said) => JSON.stringify(said))
      .join("\n"),
  ),
  // An object that is clean is read by another way than one with a bad line, so each line comes alone too.
  ...Object.fromEntries(edgeLines().map((text, n) => [`alone-${n}`, gzipSync(`${text}\n`)])),
};

const KEYS = Object.entries(OBJECTS).map(([name, bytes], index) => {
  const key = `readings/dt=2026-11-22/hr=${String(index % 3).padStart(2, "0")}/${name}.gz`;
  return { name, key, bytes };
});

t.test("the Glue job on damaged raw objects", { skip, timeout: 600_000 }, async (t) => {
  for (const { key, bytes } of KEYS) {
    mkdirSync(dirname(raw.path(key)), { recursive: true });
    writeFileSync(raw.path(key), bytes);
  }
  const duck = await tablesByDuckDb(raw, folder);
  t.teardown(() => duck.stop());
  const counts = await curate({ raw: raw.root, lake });
  t.comment(JSON.stringify(counts));
  t.ok(counts.rows > 6_000, `${counts.rows} rows`);
  t.ok(counts.rejects > 50, `${counts.rejects} rejects`);
  const [[full] = []] = await rowsOf(duck, "SELECT count(DISTINCT object)::int FROM deliveries");
  const found = await differing(lake, duck, {
    readings: ALL_COLUMNS,
    gateways: "*",
    rejects: "*",
    deliveries: "object, gateway, epoch, first, last, lines, dup",
  });
  // The ledger has a row of each object that held nothing, too.
  for (const [table, { onlyIn }] of Object.entries(found))
    t.same(onlyIn, [table === "deliveries" ? counts.objects - Number(full) : 0, 0], table);
});
