/** A run killed at every step: the next one goes on, and each reading is there once. */

import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { putReadings } from "./raw-readings.ts";
import { argumentsOf, askSpark, curate, sparkMissing, startPython } from "./spark.ts";

const folder = t.testdir();
const places = { raw: join(folder, "raw"), lake: join(folder, "work/lake") };

/** Files whose name ends so in a folder below the tables'. */
function count(below: string, end: string): number {
  const path = join(places.lake, "curated/windfarm", below);
  return existsSync(path) ? readdirSync(path).filter((file) => file.endsWith(end)).length : 0;
}

/** When to kill: as soon as there are more of these. */
const MOMENTS: [name: string, seen: () => number][] = [
  ["before the readings are committed", () => count("readings/data/shelf=2026-11-22", ".parquet")],
  ["after the readings, before the ledger", () => count("readings/metadata", ".metadata.json")],
  ["after the ledger, before upkeep", () => count("deliveries/metadata", ".metadata.json")],
];

t.test("the Glue job killed at every step", { skip: sparkMissing(), timeout: 1_600_000 }, async (t) => {
  putReadings(places.raw, 1, 50);
  await curate(places);
  for (const [number, [name, seen]] of MOMENTS.entries()) {
    const first = 50 * (number + 1) + 1;
    putReadings(places.raw, first, first + 49);
    const before = seen();
    const child = startPython(argumentsOf(places), resolve(places.lake, ".."));
    child.stdin.end();
    child.stdout.resume();
    child.stderr.resume();
    const watch = setInterval(() => seen() > before && child.kill("SIGKILL"), 2);
    await new Promise((done) => child.once("close", done));
    clearInterval(watch);
    t.equal(child.signalCode, "SIGKILL", `killed ${name}`);
  }
  t.match(await curate(places), { Missing: 0, ObjectsLeft: 0 });
  const { rows = [] } = await askSpark(places.lake, {
    rows: "SELECT count(*), count(DISTINCT seq), max(seq) FROM readings",
  });
  t.same(rows, [["200", "200", "200"]], "each reading is there once");
});
