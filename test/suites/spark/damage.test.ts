/**
 * Raw objects of every kind of damage, and large ones: the Glue job and DuckDB keep and reject the same lines. OBJECT_MB, at
 * most 340, makes the large ones smaller.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { MAX_LINE_BYTES } from "../../../cloud/local/tidy.ts";
import { dates, edgeLines, line, notTexts, oddJson, values } from "./edge-lines.ts";
import { argumentsOf, curate, runPython, sparkMissing } from "./spark.ts";
import { ALL_COLUMNS, differing, rowsOf, tablesByDuckDb } from "./tables.ts";

const OBJECT_MB = Number(process.env.OBJECT_MB ?? 256);
/** What the job may hold besides a packed object, bytes: Python, a member's beginning, some lines. */
const HELD_BYTES = 24 * 1024 ** 2;
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
  overlong: Buffer.concat([
    gzipSync(
      [
        line("as-long").padEnd(MAX_LINE_BYTES - 1),
        line("too-long").padEnd(MAX_LINE_BYTES),
        "",
        `${line("far-too-long")}\r`.padEnd(9 * MAX_LINE_BYTES),
        line("long-id", { turbine: "x\u00e9".repeat(MAX_LINE_BYTES) }),
        line("after"),
        "z".repeat(2 * MAX_LINE_BYTES),
      ].join("\n"),
    ),
    Buffer.from(`${line("between").padEnd(MAX_LINE_BYTES - 1)}\n${line("after-between")}\n`),
    gzipSync(`${line("alone")}${" ".repeat(2 * MAX_LINE_BYTES)}`),
  ]),
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

t.test("the Glue job on damaged raw objects", { skip, timeout: 1_200_000 }, async (t) => {
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

/** `mb` MiB of readings, 16 each. */
function large(mb: number): string[] {
  return Array.from({ length: mb * 16 }, () => {
    const padded = line("large", { seq: ++seq, data: seq }).padEnd(64 * 1024 - 1);
    return `${padded}\n`;
  });
}

/** As they are, within gzip: objects that are as large packed. */
const stored = (text: string) => gzipSync(text, { level: 0 });

/** Reads an object as the job does; its rows, rejects, and the most memory that took beyond what was there before. */
const READ = `
import json, sys
from pathlib import Path
from curation.arguments import read_arguments
from curation.raw import RowReader
from curation.stores import open_store
def most():
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
settings, before = read_arguments(sys.argv[2:]), most()
reader = RowReader(settings.columns, settings.status_columns, False)
json_of = [row[0] for row in reader.rows("object", open_store(settings.raw).read(sys.argv[1]))]
print(json.dumps([json_of.count("true"), json_of.count("false"), most() - before]))
`;

t.test(`the Glue job on raw objects of ${OBJECT_MB} MB`, { skip, timeout: 600_000 }, async (t) => {
  const places = { raw: join(folder, "large/raw"), lake: join(folder, "large/lake") };
  const whole = large(OBJECT_MB);
  const objects = {
    many: { bytes: Buffer.concat(large(OBJECT_MB).map(stored)), lines: whole.length, rejects: 0 },
    one: { bytes: stored(whole.join("")), lines: whole.length, rejects: 0 },
    torn: {
      bytes: Buffer.concat([stored(whole.join("")), long.subarray(0, 300)]),
      lines: whole.length,
      rejects: 1,
    },
  };
  for (const [name, { bytes, lines, rejects }] of Object.entries(objects)) {
    const key = `readings/dt=2026-11-22/hr=00/${name}.gz`;
    mkdirSync(dirname(join(places.raw, key)), { recursive: true });
    writeFileSync(join(places.raw, key), bytes);
    const read = ["-c", READ, key, ...argumentsOf(places).slice(1)];
    const { code, stdout, stderr } = await runPython(read, "cloud/jobs");
    t.equal(code, 0, stderr);
    const [good, bad, held] = JSON.parse(stdout);
    t.same([good, bad], [lines, rejects], name);
    t.ok(held < bytes.length + HELD_BYTES, `${name}, ${bytes.length} bytes packed: ${held} held`);
  }
  t.match(await curate(places), { objects: 3, rows: 2 * whole.length, rejects: 1, ObjectsLeft: 0 });
});
