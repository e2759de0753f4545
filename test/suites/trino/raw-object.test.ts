/**
 * The exact bytes of one raw object, of thousands of gzip members as the agent ships them and more than 64 MB of lines, read by
 * Node, DuckDB, Spark and Trino: the same rows. Older engines stop after some hundred members, or cut what is long.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import t from "tap";
import { z } from "zod";
import { packLines } from "../../../agent/buffer/gzip.ts";
import { membersOf } from "../../../agent/ship/record.ts";
import { Duck } from "../../../cloud/local/duck.ts";
import { line } from "../spark/edge-lines.ts";
import { runPython, sparkMissing } from "../spark/spark.ts";
import { differences } from "./rows.ts";
import { Trino, trinoMissing } from "./trino.ts";

const RECORDS = 150;
/** Readings of the groups of a record: large ones stay members of their own, small ones are packed into one. */
const GROUPS = [...Array.from({ length: 14 }, () => 170), 5, 5, 5];
const ASKED = "count(*), count(DISTINCT seq), sum(seq), min(id), max(id), sum(length(turbine))";

const Read = z.object({ id: z.string(), seq: z.number(), turbine: z.string() });

let seq = 0;
function recordOf(counts: readonly number[]): Buffer {
  const groups = counts.map((count) => {
    const reading = () => line(`PP_${++seq}`, { seq, data: Math.random(), turbine: `T${seq % 40}` });
    const lines = Buffer.from(Array.from({ length: count }, () => `${reading()}\n`).join(""));
    return { lines, body: packLines(lines) };
  });
  return membersOf(groups);
}

const folder = t.testdir();
const object = join(folder, "object");
const path = join(object, "raw.gz");
mkdirSync(object);
const bytes = Buffer.concat(Array.from({ length: RECORDS }, () => recordOf(GROUPS)));
writeFileSync(path, bytes);
const lines = gunzipSync(bytes).toString().trimEnd().split("\n");
const expected = [rowOf(lines.map((text) => Read.parse(JSON.parse(text))))];

function rowOf(readings: readonly z.infer<typeof Read>[]): (string | number)[] {
  const ids = readings.map(({ id }) => id).sort();
  const sum = readings.reduce((all, reading) => all + reading.seq, 0);
  const letters = readings.reduce((all, { turbine }) => all + turbine.length, 0);
  const distinct = new Set(readings.map((reading) => reading.seq)).size;
  return [readings.length, distinct, sum, ids[0] ?? "", ids.at(-1) ?? "", letters];
}

t.test("Node reads every line", async (t) => {
  const members = bytes.toString("latin1").split("\x1f\x8b\x08\x00\x00\x00\x00\x00").length - 1;
  t.ok(members >= 2000, `${members} members`);
  t.ok(Buffer.byteLength(lines.join("\n")) > 64 * 2 ** 20, "more than 64 MB of lines");
  t.equal(lines.length, seq);
});

t.test("DuckDB reads the same", async (t) => {
  const duck = new Duck({ temporaryFolder: join(folder, "duck") });
  await duck.start();
  t.teardown(() => duck.stop());
  const sql = `SELECT ${ASKED} FROM read_json('${path}', format = 'newline_delimited')`;
  const rows = await duck.rows(sql, z.record(z.string(), z.unknown()));
  t.same(differences(rows.map(Object.values), expected), []);
});

t.test("Spark reads the same", { skip: sparkMissing(), timeout: 300_000 }, async (t) => {
  const script = `
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").getOrCreate()
spark.read.json("${path}").createOrReplaceTempView("object")
import json
print(json.dumps([str(value) for value in spark.sql("SELECT ${ASKED} FROM object").collect()[0]]))
`;
  const { code, stdout, stderr } = await runPython(["-c", script], folder);
  t.equal(code, 0, stderr.slice(-2000));
  t.same(differences([JSON.parse(stdout.trim().split("\n").at(-1) ?? "")], expected), []);
});

t.test("Trino reads the same", { skip: trinoMissing(), timeout: 500_000 }, async (t) => {
  const trino = new Trino(folder);
  t.teardown(() => trino.stop());
  await trino.ask("raw", "CREATE SCHEMA IF NOT EXISTS raw");
  const columns = "id varchar, data double, turbine varchar, seq bigint";
  await trino.ask(
    "raw",
    `CREATE TABLE object (${columns}) WITH (format = 'JSON', external_location = 'local:///object')`,
  );
  t.same(differences(await trino.ask("raw", `SELECT ${ASKED} FROM object`), expected), []);
});
