/** A corrected text of the conversion reaches what the one before it rejected. */

import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { sqlFolder } from "../../../cloud/sql/read.ts";
import { RawReadings } from "./raw-readings.ts";
import { curate, sparkMissing } from "./spark.ts";
import { compare, curateByDuckDb } from "./tables.ts";

const folder = t.testdir();
const raw = new RawStore(join(folder, "raw"));
const lake = join(folder, "spark/lake");
const byDuckDb = join(folder, "duckdb/lake");
const sql = join(folder, "strict");

function rejects(root: string): string[] {
  const names = readdirSync(join(root, "rejects"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".ndjson")).sort();
}

t.test("the Glue job with a corrected text", { skip: sparkMissing(), timeout: 600_000 }, async (t) => {
  await new RawReadings({ seed: 4, lines: 3_000, linesAnObject: 100, days: 2 }, raw).more(1);
  await curateByDuckDb(raw, byDuckDb);
  cpSync(sqlFolder(), sql, { recursive: true });
  const check = readFileSync(join(sql, "check.sql"), "utf8");
  const strict = check.replace("WHEN type IS NULL", "WHEN turbine = 'T1' OR type IS NULL");
  writeFileSync(join(sql, "check.sql"), strict);
  const before = await curate({ raw: raw.root, lake, sql });
  t.ok(before.reasons.no_type, `${before.reasons.no_type} lines are rejected at first`);
  t.not(rejects(lake).length, rejects(byDuckDb).length);

  const after = await curate({ raw: raw.root, lake });
  t.equal(after.objects, before.objects, "every object is read again");
  t.equal(after.reasons.no_type, undefined);
  t.same(
    (await compare(lake, byDuckDb, join(folder, "tmp"))).onlyIn,
    [0, 0],
    "the table is as if it never was",
  );
  t.same(rejects(lake), rejects(byDuckDb), "and so are the rejects");

  writeFileSync(join(sql, "check.sql"), `-- A comment more.\n${check}`);
  const commented = await curate({ raw: raw.root, lake, sql });
  t.same([commented.objects, commented.days], [0, 0], "a comment is no other text");
});
