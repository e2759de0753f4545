/** Real Spark 3.5, where it can be found, and the Glue job run by it as Glue would: with the arguments of the stack. */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { LAYOUT, type Layout, layoutForJob } from "../../../cloud/layout.ts";
import { sqlFolder, writeConversion } from "../../../cloud/sql/read.ts";

const PYTHON = process.env.WINDFARM_SPARK_PYTHON ?? resolve(".venv-spark/bin/python");
/** A run that takes longer is ended with its test. */
const LONGEST_MS = 600_000;
const JOB = resolve("cloud/jobs/curate.py");

/** Why Spark can't be run here, or false. */
export function sparkMissing(): string | false {
  if (!existsSync(PYTHON)) return `no Spark: test/suites/spark/setup.sh makes ${PYTHON}`;
  const { status, stderr } = spawnSync(PYTHON, ["-c", "import pyspark"], { encoding: "utf8" });
  if (status !== 0) return `no Spark: ${stderr.trim().split("\n").at(-1)}`;
  return spawnSync("java", ["-version"]).status === 0 ? false : "no Spark: java is missing";
}

/** Why no Python of the suite can be had here, or false. */
export function pythonMissing(): string | false {
  const { status } = spawnSync(PYTHON, ["-c", "import pyspark"]);
  return status === 0 ? false : `no Python with pyspark: test/suites/spark/setup.sh makes ${PYTHON}`;
}

/** Why moto can't be had here, or false. */
export function motoMissing(): string | false {
  const { status } = spawnSync(PYTHON, ["-c", "import moto, boto3, pyspark"]);
  return status === 0 ? false : `no moto: test/suites/spark/setup.sh makes ${PYTHON}`;
}

const Curated = z.object({
  curated: z.object({
    objects: z.number(),
    readings: z.number(),
    rejects: z.number(),
    days: z.number(),
    rows: z.number(),
    overtaken: z.number(),
    superseded: z.number(),
    reasons: z.record(z.string(), z.number()),
  }),
});
export type Counts = z.infer<typeof Curated>["curated"];

export interface JobPlaces {
  raw: string;
  lake: string;
  /** Default cloud/sql, in the layout's words. */
  sql?: string;
  layout?: Layout;
}

/** Runs the job; what it says it did. */
export async function curate(places: JobPlaces, more: readonly string[] = []): Promise<Counts> {
  const { raw, lake, layout = LAYOUT, sql = join(lake, "../sql") } = places;
  const names = Object.entries(layoutForJob(layout)).flatMap(([key, value]) => [`--${key}`, value]);
  const where = ["--catalog", "file", "--raw", raw, "--lake", `file://${lake}`, "--sql", sql];
  mkdirSync(lake, { recursive: true });
  if (places.sql === undefined) writeConversion(sqlFolder(), sql, layout);
  const ended = await runPython([JOB, ...names, ...where, ...more], resolve(lake, ".."));
  if (ended.code !== 0) throw new Error(`curate.py ended with ${ended.code}:\n${ended.stderr.slice(-4000)}`);
  return Curated.parse(JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "")).curated;
}

const Answers = z.record(z.string(), z.array(z.array(z.string().nullable())));

/** The answers of Spark to `queries` over Parquet files of the table `table`, every value as text. */
export async function askSpark(
  files: readonly string[],
  queries: Readonly<Record<string, string>>,
  folder: string,
  table: string = LAYOUT.table,
): Promise<Record<string, (string | null)[][]>> {
  const script = join(import.meta.dirname, "ask.py");
  const ended = await runPython([script], folder, JSON.stringify({ folder, files, queries, table }));
  if (ended.code !== 0) throw new Error(`ask.py ended with ${ended.code}:\n${ended.stderr.slice(-4000)}`);
  return Answers.parse(JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? ""));
}

/** Runs Python with what Spark needs. */
export function runPython(args: readonly string[], cwd: string, input = ""): Promise<Ended> {
  const child = spawn(PYTHON, args, { cwd, env: { ...process.env, ...ENVIRONMENT }, timeout: LONGEST_MS });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  child.stdin.end(input);
  return new Promise((done, failed) => {
    child.once("error", failed).once("close", (code) => done({ code, stdout, stderr }));
  });
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const SETTINGS = {
  "spark.ui.enabled": "false",
  "spark.driver.bindAddress": "127.0.0.1",
  "spark.driver.host": "127.0.0.1",
  "spark.sql.shuffle.partitions": "4",
};
const ENVIRONMENT = {
  PYSPARK_PYTHON: PYTHON,
  PYTHONDONTWRITEBYTECODE: "1",
  SPARK_LOCAL_IP: "127.0.0.1",
  PYSPARK_SUBMIT_ARGS: [
    // Short runs on a small machine: compiling less takes a third of the time.
    '--master local[2] --driver-memory 2g --driver-java-options "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"',
    ...Object.entries(SETTINGS).map(([key, value]) => `--conf ${key}=${value}`),
    "pyspark-shell",
  ].join(" "),
};
