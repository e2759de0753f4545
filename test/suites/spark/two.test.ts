/** Two runs at once, again and again: no reading is there twice. ROUNDS makes it shorter. */

import { join } from "node:path";
import t from "tap";
import { putReadings } from "./raw-readings.ts";
import { askSpark, curate, sparkMissing } from "./spark.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 20);
const folder = t.testdir();
const places = { raw: join(folder, "raw"), lake: join(folder, "work/lake") };

t.test("two at once load no reading twice", { skip: sparkMissing(), timeout: 3_600_000 }, async (t) => {
  putReadings(places.raw, 1, 100);
  await curate(places);
  let overtaken = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    putReadings(places.raw, 100 * round + 1, 100 * round + 100);
    const both = await Promise.all([curate(places), curate(places)]);
    for (const counts of both) overtaken += counts.Overtaken;
  }
  const { rows = [], ledger = [] } = await askSpark(places.lake, {
    rows: "SELECT count(*), count(DISTINCT seq) FROM readings",
    ledger: "SELECT count(*), count(DISTINCT object) FROM deliveries",
  });
  const all = `${100 * (ROUNDS + 1)}`;
  t.same(rows, [[all, all]]);
  t.same(ledger, [[`${ROUNDS + 1}`, `${ROUNDS + 1}`]], "nor is an object in the ledger twice");
  t.comment(`${overtaken} commits were refused`);
});
