/** The Glue job run beside itself and over a range: the same table as the local lake's, whatever is done again. */

import { join } from "node:path";
import t from "tap";
import { readCatalog } from "../../../cloud/local/catalog.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { pollDuring, shrunken } from "./poller.ts";
import { RawReadings } from "./raw-readings.ts";
import { curate, sparkMissing } from "./spark.ts";
import { compare, curateByDuckDb } from "./tables.ts";

const folder = t.testdir();
const raw = new RawStore(join(folder, "raw"));
const bySpark = join(folder, "spark/lake");
const byDuckDb = join(folder, "duckdb/lake");
const places = { raw: raw.root, lake: bySpark };

const skip = sparkMissing();
t.test("the Glue job done again", { skip, timeout: 600_000 }, async (t) => {
  const readings = new RawReadings({ seed: 4, lines: 30_000, linesAnObject: 500, days: 2 }, raw);
  await readings.more(0.5);
  await curate(places);

  await t.test("takes two runs at once", async (t) => {
    await readings.more(1);
    const sightings = await pollDuring(bySpark, Promise.all([curate(places), curate(places)]));
    t.equal(shrunken(sightings), undefined, `in ${sightings.length} looks no day had fewer rows than before`);
    await curateByDuckDb(raw, byDuckDb);
    t.same((await compare(bySpark, byDuckDb, join(folder, "tmp"))).onlyIn, [0, 0]);
  });

  await t.test("makes the days of a range anew, with the same rows", async (t) => {
    const before = await readCatalog(bySpark);
    const { days } = await curate(places, ["--from", "2026-11-01", "--to", "2026-11-02"]);
    t.equal(days, 2);
    const after = await readCatalog(bySpark);
    const moved = Object.entries(after?.days ?? {}).filter(
      ([day, { version }]) => version !== before?.days[day]?.version,
    );
    t.same(moved.map(([day]) => day).sort(), ["2026-11-01", "2026-11-02"]);
    t.same((await compare(bySpark, byDuckDb, join(folder, "tmp"))).onlyIn, [0, 0]);
  });
});
