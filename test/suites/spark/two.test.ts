/** Two runs at once, again and again: no reading is there twice. ROUNDS makes it shorter. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { line } from "./edge-lines.ts";
import { askSpark, curate, sparkMissing } from "./spark.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 20);
const folder = t.testdir();
const places = { raw: join(folder, "raw"), lake: join(folder, "work/lake") };

/** Writes readings `first` to `last` of one gateway as a raw object. */
function put(raw: string, first: number, last: number): void {
  const path = join(raw, "readings/dt=2026-11-22/hr=12", `o-${first}.gz`);
  mkdirSync(dirname(path), { recursive: true });
  const text = Array.from(
    { length: last - first + 1 },
    (_, n) => `${line(`P_${first + n}`, { seq: first + n })}\n`,
  );
  writeFileSync(path, gzipSync(text.join("")));
}

t.test("two at once load no reading twice", { skip: sparkMissing(), timeout: 3_600_000 }, async (t) => {
  put(places.raw, 1, 100);
  await curate(places);
  let overtaken = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    put(places.raw, 100 * round + 1, 100 * round + 100);
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
