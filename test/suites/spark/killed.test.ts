/** A run killed at every step: the next one goes on, each reading is there once, and what was left lying goes in time. */

import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { LAYOUT } from "../../../cloud/layout.ts";
import { putReadings } from "./raw-readings.ts";
import { argumentsOf, askSpark, curate, sparkMissing, startPython } from "./spark.ts";

const DAY_MS = 86_400_000;
const folder = t.testdir();
const places = { raw: join(folder, "raw"), lake: join(folder, "work/lake") };
/** The table's whole name, which those of what Iceberg tells of it begin with. */
const NAME = `lake.${LAYOUT.database}.readings`;
const tables = join(places.lake, "curated/windfarm");

function namesIn(below: string): string[] {
  const path = join(tables, below);
  return existsSync(path) ? readdirSync(path) : [];
}

/** Files of the day, committed or not. */
const data = () =>
  namesIn("readings/data/shelf=2026-11-22").filter((name) => name.endsWith(".parquet")).length;

/** How often a table was committed: a commit is the file that gets the next number for its name. */
function commits(table: string): number {
  return Math.max(0, ...namesIn(`${table}/metadata`).map((name) => Number(/^v(\d+)\./.exec(name)?.[1] ?? 0)));
}

const ofReadings = () => commits("readings");

/** When to kill a run that loads so many objects, a commit each: as soon as there are so many more of what is seen. */
const LOADING: [name: string, seen: () => number, objects: number, more: number][] = [
  ["before the readings are committed", data, 1, 1],
  ["after the readings, before the ledger", ofReadings, 1, 1],
  ["after the ledger, before upkeep", () => commits("deliveries"), 1, 1],
];
/** Nine files of a day are made one: a file more than those of the objects is that one, not committed yet. */
const UPKEEP: typeof LOADING = [
  ["amid a compaction", data, 9, 10],
  ["after the compaction", ofReadings, 0, 1],
];

/** The job, with a commit for each object. */
const ONE_AT_ONCE = `
import sys
from pathlib import Path
job = sys.argv.pop(1)
sys.path.insert(0, str(Path(job).parent))
from curation import load
load.OBJECTS_AT_ONCE = 1
import curate
curate.main(sys.argv[1:])
`;

/** Runs the job and kills all of it at once, when `seen` has grown by `more`; by what it ended. */
async function killAt(seen: () => number, more: number): Promise<string | null> {
  const enough = seen() + more;
  const args = ["-c", ONE_AT_ONCE, ...argumentsOf(places)];
  const child = startPython(args, resolve(places.lake, ".."), { detached: true });
  child.stdin.end();
  child.stdout.resume();
  child.stderr.resume();
  const { pid } = child;
  const watch = setInterval(() => pid !== undefined && seen() >= enough && process.kill(-pid, "SIGKILL"), 2);
  await new Promise((done) => child.once("exit", done));
  clearInterval(watch);
  return child.signalCode;
}

/** Makes all there is look days older: the files, and what the tables say of their snapshots. */
function age(days: number): void {
  const byDays = (_: string, name: string, ms: string) => `${name}${Number(ms) - days * DAY_MS}`;
  for (const file of readdirSync(tables, { recursive: true, encoding: "utf8" })) {
    const path = join(tables, file);
    if (file.endsWith(".metadata.json")) {
      const text = readFileSync(path, "utf8");
      writeFileSync(path, text.replace(/("(?:timestamp|last-updated)-ms"\s*:\s*)(\d+)/g, byDays));
      rmSync(join(path, "..", `.${file.split("/").at(-1)}.crc`), { force: true });
    }
    const then = (Date.now() - days * DAY_MS) / 1_000;
    utimesSync(path, then, then);
  }
}

t.test("the Glue job killed at every step", { skip: sparkMissing(), timeout: 1_600_000 }, async (t) => {
  let last = 0;
  const put = (objects: number) => {
    for (let object = 0; object < objects; object++, last += 50) putReadings(places.raw, last + 1, last + 50);
  };
  put(1);
  await curate(places);
  for (const [name, seen, objects, more] of LOADING) {
    put(objects);
    t.equal(await killAt(seen, more), "SIGKILL", `killed ${name}`);
  }
  t.match(await curate(places), { Missing: 0, ObjectsLeft: 0, upkeep: 0 });
  for (const [name, seen, objects, more] of UPKEEP) {
    put(objects);
    t.equal(await killAt(seen, more), "SIGKILL", `killed ${name}`);
    const { is = [] } = await askSpark(places.lake, {
      is: `SELECT count(*) FROM ${NAME}.snapshots WHERE operation = 'replace'`,
    });
    t.same(is, [[seen === ofReadings ? "1" : "0"]]);
  }
  t.match(await curate(places), { Missing: 0, ObjectsLeft: 0 });

  const asked = {
    rows: "SELECT count(*), count(DISTINCT seq), max(seq) FROM readings",
    files: `SELECT count(DISTINCT file_path) FROM ${NAME}.all_data_files`,
    snapshots: `SELECT count(*) FROM ${NAME}.snapshots`,
  };
  const each = [[`${last}`, `${last}`, `${last}`]];
  const before = await askSpark(places.lake, asked);
  t.same(before.rows, each, "each reading is there once");
  t.ok(data() > Number(before.files?.[0]?.[0]), "what was written and not committed lies there");
  t.ok(Number(before.snapshots?.[0]?.[0]) > 9);

  age(5);
  await curate(places);
  t.same(await askSpark(places.lake, asked), { rows: each, files: [["1"]], snapshots: [["1"]] });
  t.equal(data(), 1, "days later nothing lies there but what the table names");
});
