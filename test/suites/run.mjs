// `npm run suite`: the suites that take long or need tools, one after the other; `npm run suite -- crash web` runs these.
// Each says for itself why it skips where a tool is missing.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const known = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`npm run suite: there is no suite ${unknown.join(", ")}; there are ${known.join(", ")}`);
  process.exit(2);
}

const tap = join(here, "..", "..", "node_modules", ".bin", "tap");
// Where nobody watches, the lines of each test; a display that rewrites itself is unreadable in a file.
const reporter = process.stdout.isTTY ? "terse" : "tap";
const ended = [];
for (const name of wanted.length > 0 ? wanted : known) {
  const files = readdirSync(join(here, name)).filter((file) => file.endsWith(".test.ts"));
  if (files.length === 0) continue;
  console.log(`\n── suite ${name}`);
  const started = performance.now();
  const paths = files.map((file) => join("test", "suites", name, file));
  const { status } = spawnSync(tap, ["--jobs=1", "--timeout=900", `--reporter=${reporter}`, ...paths], {
    stdio: "inherit",
  });
  ended.push({ name, failed: status !== 0, seconds: Math.round((performance.now() - started) / 1000) });
}

console.log("");
for (const { name, failed, seconds } of ended)
  console.log(`suite ${name.padEnd(16)} ${failed ? "FAILED" : "passed"} in ${seconds} s`);
process.exitCode = ended.some(({ failed }) => failed) ? 1 : 0;
