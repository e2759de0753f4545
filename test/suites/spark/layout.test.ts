/** Another layout moves the Glue job as it moves the local lake: the same places, the same table, the named queries too. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { indexFileOf, rejectsFileOf } from "../../../cloud/layout.ts";
import { readCatalog } from "../../../cloud/local/catalog.ts";
import { queryLake } from "../../../cloud/local/lake-reader.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { namedQueries, sqlFolder } from "../../../cloud/sql/read.ts";
import { OTHER_LAYOUT } from "../../cloud/other-layout.ts";
import { RawReadings } from "./raw-readings.ts";
import { askSpark, curate, sparkMissing } from "./spark.ts";
import { compare, curateByDuckDb, filesOf } from "./tables.ts";

const folder = t.testdir();
const raw = new RawStore(join(folder, "raw"), OTHER_LAYOUT);
const bySpark = join(folder, "spark/lake");
const byDuckDb = join(folder, "duckdb/lake");

t.test("the Glue job in another layout", { skip: sparkMissing(), timeout: 600_000 }, async (t) => {
  const readings = new RawReadings({ seed: 9, lines: 6_000, linesAnObject: 500, days: 2 }, raw);
  await readings.more(1);
  const counts = await curate({ raw: raw.root, lake: bySpark, layout: OTHER_LAYOUT });
  t.equal(counts.rows, readings.written.identities.size);
  await curateByDuckDb(raw, byDuckDb, OTHER_LAYOUT);

  await t.test("makes the same table as the local lake, in its places", async (t) => {
    const { rows, onlyIn, types } = await compare(bySpark, byDuckDb, join(folder, "tmp"), OTHER_LAYOUT);
    t.equal(rows[0], counts.rows);
    t.same(onlyIn, [0, 0]);
    t.same(types[0], types[1]);
    t.ok(types[0].includes("seq DOUBLE") && types[0].includes("event_day VARCHAR"), types[0].join(", "));
    const catalog = await readCatalog(bySpark);
    t.equal(catalog?.table, "otherfarm.measurements");
    t.match((await filesOf(bySpark))[0], /clean\/measurements\/event_day=[0-9-]+\/version=/);
    for (const object of await raw.list()) {
      const lines = [bySpark, byDuckDb].map((lake) =>
        readFileSync(join(lake, indexFileOf(object, OTHER_LAYOUT)), "utf8"),
      );
      const [told, expected] = lines.map((text) =>
        text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line))
          .find((entry) => entry.object === object),
      );
      const { seqs, tidied, ...entry } = expected;
      t.same(told, entry);
      if (Object.keys(entry.rejects).length > 0)
        t.ok(existsSync(join(bySpark, rejectsFileOf(object, OTHER_LAYOUT))));
    }
  });

  await t.test("answers the named queries", async (t) => {
    const queries = Object.fromEntries(
      namedQueries(sqlFolder(), OTHER_LAYOUT).map(({ name, sql }) => [name, sql]),
    );
    const where = join(bySpark, OTHER_LAYOUT.curatedFolder);
    const answers = await askSpark(await filesOf(bySpark), queries, where, OTHER_LAYOUT.table);
    for (const [name, sql] of Object.entries(queries)) {
      t.equal(answers[name]?.length, (await queryLake(byDuckDb, sql, OTHER_LAYOUT)).rows.length, name);
    }
  });
});
