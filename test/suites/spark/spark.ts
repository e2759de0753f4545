/** Real Spark 3.5, where it can be found, and the Glue job run by it as Glue would: with the arguments of the stack. */

import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { LAYOUT, layoutForJob } from "../../../cloud/layout.ts";
import { sqlFolder } from "../../../cloud/sql/read.ts";

const PYTHON = process.env.WINDFARM_SPARK_PYTHON ?? resolve(".venv-spark/bin/python");
/** A run that takes longer is ended with its test. */
const LONGEST_MS = 1_200_000;
const JOB = resolve("cloud/jobs/curate.py");
/** Iceberg for Spark, as Glue 5.1 brings it. */
const ICEBERG = resolve(".venv-spark/iceberg-spark-runtime.jar");

/** Why Spark can't be run here, or false. */
export function sparkMissing(): string | false {
  if (!existsSync(PYTHON)) return `no Spark: test/suites/spark/setup.sh makes ${PYTHON}`;
  if (!existsSync(ICEBERG)) return `no Iceberg: test/suites/spark/setup.sh fetches ${ICEBERG}`;
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
    rows: z.number(),
    ObjectsLeft: z.number(),
    Overtaken: z.number(),
    SilentGateways: z.number(),
    Missing: z.number().optional(),
    upkeep: z.number(),
    reasons: z.record(z.string(), z.number()),
  }),
});
export type Counts = z.infer<typeof Curated>["curated"];

export interface JobPlaces {
  raw: string;
  lake: string;
  /** Default cloud/sql. */
  sql?: string;
}

/** The job's arguments over folders, as the stack gives them over buckets. */
export function argumentsOf({ raw, lake, sql = sqlFolder() }: JobPlaces): string[] {
  const names = Object.entries(layoutForJob()).flatMap(([key, value]) => [`--${key}`, value]);
  return [JOB, ...names, "--catalog", "hadoop", "--raw", raw, "--lake", lake, "--sql", sql];
}

/** Runs the job; what it says it did. */
export async function curate(places: JobPlaces, more: readonly string[] = []): Promise<Counts> {
  mkdirSync(places.lake, { recursive: true });
  const ended = await runPython([...argumentsOf(places), ...more], resolve(places.lake, ".."));
  if (ended.code !== 0) throw new Error(`curate.py ended with ${ended.code}:\n${ended.stderr.slice(-4000)}`);
  return Curated.parse(JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "")).curated;
}

const Answers = z.record(z.string(), z.array(z.array(z.string().nullable())));

/** The answers of Spark to `queries` over the tables of the lake, every value as text. */
export async function askSpark(
  lake: string,
  queries: Readonly<Record<string, string>>,
): Promise<Record<string, (string | null)[][]>> {
  return Answers.parse(JSON.parse((await ask(lake, { queries })).split("\n").at(-1) ?? ""));
}

/** How long Spark takes for a question over the tables of the lake, again and again, seconds. */
export async function timeSpark(lake: string, sql: string, times: number): Promise<number[]> {
  return (await ask(lake, { time: Array.from({ length: times }, () => sql) })).split("\n").map(Number);
}

/** Counts the table's rows again and again while `work` goes on; what it saw. */
export async function pollDuring(lake: string, work: Promise<unknown>): Promise<number[]> {
  const stop = join(lake, "../stop-polling");
  rmSync(stop, { force: true });
  const polled = ask(lake, { poll: stop });
  await work.finally(() => writeFileSync(stop, ""));
  return (await polled).split("\n").map(Number);
}

const Copied = z.object({ table: z.string(), latest: z.string() });

/** Copies Iceberg tables into a folder that another engine calls `as`; the name of each table's metadata file. */
export async function copyTables(lake: string, copy: { tables: string[]; as: string; into: string }) {
  return (await ask(lake, { copy })).split("\n").map((line) => Copied.parse(JSON.parse(line)));
}

/** Writes columns of Spark's tables as Parquet, a folder a table; what they are in. */
export async function exportSpark(lake: string, asked: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(lake, `../exported-${randomUUID()}`);
  const selects = Object.entries(asked).map(([table, columns]) => [
    `${folder}/${table}`,
    `SELECT ${columns} FROM ${table}`,
  ]);
  await ask(lake, { export: Object.fromEntries(selects) });
  return folder;
}

async function ask(lake: string, asked: object): Promise<string> {
  const script = join(import.meta.dirname, "ask.py");
  const input = JSON.stringify({ warehouse: join(lake, "curated"), database: LAYOUT.database, ...asked });
  const ended = await runPython([script], resolve(lake, ".."), input);
  if (ended.code !== 0) throw new Error(`ask.py ended with ${ended.code}:\n${ended.stderr.slice(-4000)}`);
  return ended.stdout.trim();
}

/** Starts Python with what Spark needs. */
export function startPython(args: readonly string[], cwd: string, { detached = false }: SpawnOptions = {}) {
  return spawn(PYTHON, args, { cwd, env: { ...process.env, ...ENVIRONMENT }, timeout: LONGEST_MS, detached });
}

/** Runs Python with what Spark needs. */
export function runPython(args: readonly string[], cwd: string, input = ""): Promise<Ended> {
  const child = startPython(args, cwd);
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
  "spark.jars": ICEBERG,
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
