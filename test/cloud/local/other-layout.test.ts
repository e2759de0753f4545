/** Another layout moves the whole local lake: raw objects in, index, rejects and table in their places, queries out. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { auditLake } from "../../../cloud/local/audit-lake.ts";
import { Lake } from "../../../cloud/local/lake.ts";
import { queryLake } from "../../../cloud/local/lake-reader.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { parseDay } from "../../../cloud/local/report/day.ts";
import { readDay } from "../../../cloud/local/report/read-day.ts";
import { conversionId, conversionText, namedQueries, sqlFolder } from "../../../cloud/sql/read.ts";
import { OTHER_LAYOUT } from "../other-layout.ts";
import { silent } from "./helpers/lake.ts";
import { linesOf } from "./helpers/producer.ts";

const data = t.testdir();
const root = join(data, "lake");
const raw = new RawStore(join(data, "raw"), OTHER_LAYOUT);
const object = await raw.put(Date.UTC(2026, 10, 22, 12), Buffer.from(`${linesOf(1, 9)}junk\n`));
const lake = new Lake({ root, threads: 1, layout: OTHER_LAYOUT }, raw, silent);
await lake.start();
await lake.refresh();
await lake.stop();

t.test("files lie where the other layout says, and nowhere else", async (t) => {
  t.match(object, /^incoming\/day=20261122\/other-delivery-1-/);
  t.same(readdirSync(root).sort(), ["catalog.json", "clean", "hours", "refused", "tidied", "tmp"]);
  t.match(JSON.parse(readFileSync(join(root, "hours/day=20261122.ndjson"), "utf8")), { object, readings: 9 });
  t.ok(existsSync(join(root, "refused", `${object.replace("incoming/", "").replace(".gz", "")}.ndjson`)));
  const { table, days } = JSON.parse(readFileSync(join(root, "catalog.json"), "utf8"));
  t.equal(table, "otherfarm.measurements");
  t.match(days["2026-11-22"].files, [/^clean\/measurements\/event_day=2026-11-22\/version=/]);
});

t.test("queries ask the other table, by the other day", async (t) => {
  const sql =
    "SELECT event_day, count(*), max(seq), typeof(max(seq)) FROM otherfarm.measurements GROUP BY event_day";
  const { rows } = await queryLake(root, sql, OTHER_LAYOUT);
  t.same(rows, [["2026-11-22", 9n, 9, "DOUBLE"]], "the column's type moved too");
  for (const { name, sql } of namedQueries(sqlFolder(), OTHER_LAYOUT)) {
    const { rows } = await queryLake(root, sql, OTHER_LAYOUT);
    if (!/episodes|stuck/.test(name)) t.ok(rows.length > 0, name);
  }
  await t.rejects(queryLake(root, "SELECT 1 FROM readings", OTHER_LAYOUT), {
    message: /there is no table readings/,
    hint: "the table is called measurements, or otherfarm.measurements",
  });
});

t.test("audit and report read it", async (t) => {
  const audit = await auditLake(raw.root, root, OTHER_LAYOUT);
  t.match(audit, { delivered: 9, rejects: 1, lake: { rows: 9, missing: 0, doubled: 0, unexplained: 0 } });
  const day = await readDay(root, parseDay("2026-11-22"), Date.UTC(2026, 10, 23), OTHER_LAYOUT);
  t.ok(day.completeness.length > 0 && day.slices.length > 0);
});

t.test(
  "a lake starts again with what it has, and knows the other layout's conversion from its own",
  async (t) => {
    const again = new Lake({ root, threads: 1, layout: OTHER_LAYOUT }, raw, silent);
    await again.start();
    t.equal(again.index.objects, 1);
    t.notOk(again.isBehind);
    await again.stop();
    t.not(conversionId(OTHER_LAYOUT), conversionId());
    t.match(conversionText("curate", OTHER_LAYOUT), /received, event_day\nFROM/);
  },
);
