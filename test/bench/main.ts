/** `npm run bench`: every figure the design names, measured on the built programs. */

import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { EXIT, messageOf } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { backlog } from "./backlog.ts";
import { commitCost } from "./commit-cost.ts";
import { existingBroker } from "./existing-broker.ts";
import { flash } from "./flash.ts";
import { intake } from "./intake.ts";
import { lake } from "./lake.ts";
import { latency } from "./latency.ts";
import { link } from "./link.ts";
import { ownSeconds, profileTable } from "./profile.ts";
import { Program } from "./programs.ts";
import { quiet } from "./quiet.ts";
import { type Bench, type Figure, reached, tableOf } from "./report.ts";
import { small } from "./small.ts";
import { stream } from "./stream.ts";

// Nobody reads on (`| head -1`): that is no failure.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

const BENCHES: readonly Bench[] = [
  intake,
  latency,
  existingBroker,
  commitCost,
  flash,
  quiet,
  small,
  backlog,
  stream,
  link,
  lake,
];

const options = await yargs(hideBin(process.argv))
  .scriptName("npm run bench --")
  .usage("$0 [name …]\n\nMeasures the agent on this machine; nothing else should be running.")
  .option("quick", { type: "boolean", default: false, describe: "Shorter and smaller; for a first look" })
  .option("json", { type: "boolean", default: false, describe: "Print JSON" })
  .option("list", { type: "boolean", default: false, describe: "Say what there is to measure" })
  .option("profile", {
    type: "boolean",
    default: false,
    describe: "Show what the agent's CPU time goes into; profiling itself slows it down",
  })
  .option("folder", { type: "string", describe: "Where the buffers are made; its disk is what is measured" })
  .strictOptions()
  .version(pkg.version)
  .parserConfiguration({ "duplicate-arguments-array": false })
  .fail((message, error) => refuse(message ?? messageOf(error)))
  .parseAsync();

function refuse(problem: string): never {
  console.error(`npm run bench: ${problem}; try --help`);
  process.exit(EXIT.usage);
}

const wanted = options._.map(String);
const unknown = wanted.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) refuse(`there is no ${unknown.join(", ")}, --list says what there is`);
if (options.list) {
  for (const { name, about } of BENCHES) console.log(`${name.padEnd(16)} ${about}`);
  process.exit(0);
}

const parent = resolve(options.folder ?? tmpdir());
mkdirSync(parent, { recursive: true });
const top = mkdtempSync(join(parent, "windfarm-bench-"));
const all: (Figure & { bench: string })[] = [];
try {
  for (const bench of BENCHES) {
    if (wanted.length > 0 && !wanted.includes(bench.name)) continue;
    const folder = join(top, bench.name);
    mkdirSync(folder);
    if (options.profile) Program.profiles = join(top, `${bench.name}-profiles`);
    const figures = await bench.run(folder, { quick: options.quick });
    rmSync(folder, { recursive: true, force: true });
    if ("skipped" in figures) {
      if (!options.json) console.log(`\n${bench.about}\nskipped: ${figures.skipped}`);
      continue;
    }
    all.push(...figures.map((figure) => ({ bench: bench.name, ...figure })));
    if (!options.json) console.log(`\n${bench.about}\n${tableOf(figures)}`);
    if (Program.profiles !== undefined && existsSync(Program.profiles) && !options.json)
      console.log(profileTable(ownSeconds(Program.profiles)));
  }
} finally {
  rmSync(top, { recursive: true, force: true });
}
if (options.json) {
  const about = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
  console.log(
    JSON.stringify(
      { ...about, figures: all.map((figure) => ({ ...figure, reached: reached(figure) })) },
      null,
      2,
    ),
  );
}
