/** `npm run report -- --day 2026-11-22`: one day of the lake as one HTML file that needs nothing else. */

import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { makeFolders } from "../../../agent/common/folders.ts";
import { EXIT, Fault, messageOf } from "../../../agent/errors.ts";
import pkg from "../../../package.json" with { type: "json" };
import { debugOption, endWith, failUsage, forgiveReaders, tellProgress } from "../../command.ts";
import { cloudFolders, DEFAULT_DATA } from "../places.ts";
import { parseDay } from "./day.ts";
import { pageOf } from "./page.ts";
import { readDay } from "./read-day.ts";
import { summaryOf } from "./summary.ts";

function options() {
  return yargs(hideBin(process.argv))
    .scriptName("npm run report --")
    .usage("$0 --day 2026-11-22\n\nWrites the day's charts, completeness and anomalies as one HTML file.")
    .option("day", { type: "string", describe: "The day in UTC, YYYY-MM-DD" })
    .option("out", {
      type: "string",
      describe: "Output file; by default reports/<day>.html in the cloud's folder",
    })
    .option("data", { type: "string", default: DEFAULT_DATA, describe: "Folder of the local cloud" })
    .option("debug", debugOption)
    .strict()
    .version(pkg.version)
    .parserConfiguration({ "duplicate-arguments-array": false })
    .fail(failUsage)
    .parseSync();
}

async function main(): Promise<void> {
  const asked = options();
  const day = parseDay(asked.day);
  const look = (questions: number) => tellProgress(`reading ${day.name}, question ${questions} …`);
  const reading = readDay(cloudFolders(asked.data).lake, day, Date.now(), look);
  const report = await reading.finally(() => tellProgress(""));
  const out = asked.out || join(asked.data, "reports", `${day.name}.html`);
  await write(out, pageOf(report));
  process.stdout.write(`${summaryOf(report)}\n${out}\n`);
}

async function write(path: string, text: string): Promise<void> {
  try {
    makeFolders(dirname(path));
    await writeFile(path, text);
  } catch (error) {
    throw new Fault("report.write", `the report can't be written to ${path}: ${messageOf(error)}`, {
      hint: "--out names another file",
      exitCode: EXIT.failed,
      cause: error,
    });
  }
}

forgiveReaders();
main().catch(endWith);
