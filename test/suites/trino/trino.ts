/** Trino's own engine, where setup.sh has brought it: Athena's dialect is Trino's. */

import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";

const FOLDER = resolve("node_modules/.cache/trino");

/** An engine that takes longer is ended with its test. */
const LONGEST_MS = 280_000;

/** Why Trino can't be run here, or false. */
export function trinoMissing(): string | false {
  if (!existsSync(join(FOLDER, "classes/Ask.class")))
    return "no Trino: test/suites/trino/setup.sh fetches it";
  return spawnSync("java", ["-version"]).status === 0 ? false : "no Trino: java is missing";
}

const Answer = z.union([z.array(z.array(z.string().nullable())), z.object({ error: z.string() })]);
export type Answer = z.infer<typeof Answer>;

/** Runs `statements` one after the other in an engine with an empty memory; the answer of each. */
export async function askTrino(statements: readonly string[]): Promise<Answer[]> {
  const options = ["-Xmx2g", "-Duser.timezone=UTC", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  const child = spawn("java", [...options, "-cp", `${FOLDER}/classes:${FOLDER}/*`, "Ask"], {
    timeout: LONGEST_MS,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.end(statements.join("\0"));
  const code = await new Promise((done, failed) => child.once("error", failed).once("close", done));
  if (code !== 0) throw new Error(`Trino ended with ${code}:\n${stderr.slice(-4000)}`);
  const lines = stdout.split("\n").filter((line) => line.startsWith("[") || line.startsWith('{"error"'));
  return lines.map((line) => Answer.parse(JSON.parse(line)));
}
