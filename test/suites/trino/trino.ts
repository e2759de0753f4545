/** Trino's own engine, where setup.sh has brought it: Athena's dialect is Trino's. */

import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";

const FOLDER = resolve("node_modules/.cache/trino");
const JAVA = join(FOLDER, "java/bin/java");
const OPTIONS = [
  "-Xmx2g",
  "-Duser.timezone=UTC",
  // A short run on a small machine: compiling less takes a third of the time.
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  // The engine's own use of what Java is about to forbid is not ours to hear of.
  "--enable-native-access=ALL-UNNAMED",
  "--sun-misc-unsafe-memory-access=allow",
];

/** An engine that takes longer is ended with its test. */
const LONGEST_MS = 580_000;

/** Why Trino can't be run here, or false. */
export function trinoMissing(): string | false {
  if (!existsSync(join(FOLDER, "classes/Ask.class")))
    return "no Trino: test/suites/trino/setup.sh fetches it";
  return spawnSync(JAVA, ["-version"]).status === 0 ? false : "no Trino: its Java is missing";
}

const Rows = z.array(z.array(z.string().nullable()));
const Answer = z.union([Rows, z.object({ error: z.string() })]);
/** Every value as Trino writes it. */
export type Rows = z.infer<typeof Rows>;

interface Waiting {
  sql: string;
  done: (rows: Rows) => void;
  failed: (problem: Error) => void;
}

/** An engine of its own, with a folder's files as its catalog. */
export class Trino {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #waiting: Waiting[] = [];
  #stderr = "";
  #ended: string | undefined;

  /** @param folder what the tables' files lie in, called `local:///`; the engine keeps its catalog there too */
  constructor(folder: string) {
    mkdirSync(join(folder, "metastore"), { recursive: true });
    const args = [...OPTIONS, "-cp", `${FOLDER}/classes:${FOLDER}/*`, "Ask", folder];
    this.#child = spawn(JAVA, args, { stdio: "pipe", timeout: LONGEST_MS });
    createInterface(this.#child.stdout).on("line", (line) => this.#answered(line));
    this.#child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr = (this.#stderr + chunk).slice(-4_000);
    });
    // What is written to an engine that has ended is told by its end.
    this.#child.stdin.on("error", () => {});
    this.#child.once("error", ({ message }) => this.#end(message));
    this.#child.once("close", (code) => this.#end(`Trino ended with ${code}:\n${this.#stderr}`));
  }

  /** Runs one statement after those before it; fails with Trino's own words. */
  ask(schema: string, sql: string): Promise<Rows> {
    return new Promise((done, failed) => {
      if (this.#ended !== undefined) return failed(new Error(this.#ended));
      this.#waiting.push({ sql, done, failed });
      this.#child.stdin.write(`${schema}\n${sql}\0`);
    });
  }

  /** Makes an Iceberg table known in the catalog `iceberg`. @param place its folder, `local:///…` @param metadata its newest file */
  async register(schema: string, table: string, place: string, metadata: string): Promise<void> {
    await this.ask(schema, `CREATE SCHEMA IF NOT EXISTS iceberg.${schema}`);
    const named = [schema, table, place, metadata].map((name) => `'${name}'`);
    await this.ask(schema, `CALL iceberg.system.register_table(${named.join(", ")})`);
  }

  /** Runs one statement in a schema of the catalog `iceberg`. */
  askLake(schema: string, sql: string): Promise<Rows> {
    return this.ask(`iceberg.${schema}`, sql);
  }

  async stop(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = new Promise((done) => this.#child.once("close", done));
    this.#child.stdin.end();
    await closed;
  }

  #answered(line: string): void {
    const asked = this.#waiting.shift();
    if (asked === undefined) return;
    const answer = Answer.parse(JSON.parse(line));
    if ("error" in answer) asked.failed(new Error(`${answer.error}\n${asked.sql}`));
    else asked.done(answer);
  }

  #end(problem: string): void {
    this.#ended ??= problem;
    for (const { failed } of this.#waiting.splice(0)) failed(new Error(this.#ended));
  }
}
