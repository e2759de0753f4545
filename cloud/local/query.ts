/** `npm run query -- "SELECT …"`: SQL over the lake, here or, with --athena, the same text in Athena. */

import { join } from "node:path";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { EXIT, Fault } from "../../agent/errors.ts";
import { type NamedQuery, namedQueries } from "../sql/read.ts";
import { endWith, usageFault } from "./command.ts";
import { type Format, formatted } from "./format.ts";
import { type QueryResult, queryLake } from "./lake-reader.ts";
import { cloudFolders, DEFAULT_DATA } from "./places.ts";

const FORMATS = ["table", "csv", "json"] as const;

function options() {
  return yargs(hideBin(process.argv))
    .scriptName("npm run query --")
    .usage('$0 "SELECT type, count(*) AS n, avg(data) AS mean FROM readings GROUP BY type"\n$0 --named NAME')
    .option("list", { type: "boolean", describe: "the named queries" })
    .option("named", { type: "string", describe: "run one of them" })
    .option("format", { choices: FORMATS, default: "table" as const, describe: "of the answer" })
    .option("json", { type: "boolean", describe: "the same as --format json" })
    .option("data", { type: "string", default: DEFAULT_DATA, describe: "the local cloud's folder" })
    .option("athena", { type: "boolean", describe: "ask Athena instead of the local lake" })
    .option("workgroup", { type: "string", default: "windfarm", describe: "Athena's" })
    .option("region", { type: "string", describe: "Athena's; by default the AWS configuration's" })
    .conflicts("named", "list")
    .strictOptions()
    .version(false)
    .parserConfiguration({ "duplicate-arguments-array": false, "parse-positional-numbers": false })
    .fail((message, error) => {
      throw error ?? usageFault(message);
    })
    .parseSync();
}

async function main(): Promise<void> {
  const asked = options();
  const format: Format = asked.json ? "json" : asked.format;
  if (asked.list) return list(format);
  const sql = asked.named === undefined ? given(asked._.map(String)) : named(asked.named).sql;
  const result = asked.athena
    ? await inAthena(sql, asked.workgroup, asked.region)
    : await queryLake(join(cloudFolders(asked.data).lake), sql);
  process.stdout.write(formatted(result, format));
}

/** Loaded only when asked for: the SDK takes longer to load than a query takes here. */
async function inAthena(sql: string, workgroup: string, region: string | undefined): Promise<QueryResult> {
  const { queryAthena } = await import("./athena.ts");
  return queryAthena(sql, { workgroup, ...(region === undefined ? {} : { region }) });
}

function given(words: readonly string[]): string {
  const [sql = ""] = words;
  if (words.length > 1) {
    throw usageFault(
      `the query came in ${words.length} pieces; put it in quotes: npm run query -- "SELECT …"`,
    );
  }
  if (sql.trim().replace(/;+$/, "") === "") {
    throw new Fault("query.empty", "there is no query", {
      hint: 'npm run query -- "SELECT count(*) FROM readings", or --list for those that have a name',
      exitCode: EXIT.usage,
    });
  }
  return sql;
}

function named(name: string): NamedQuery {
  const queries = namedQueries();
  const found = queries.find((query) => query.name === name);
  if (found !== undefined) return found;
  throw new Fault("query.unknown", `there is no query named ${name}`, {
    hint: `there are ${queries.map((query) => query.name).join(", ")}`,
    exitCode: EXIT.usage,
  });
}

function list(format: Format): void {
  const rows = namedQueries().map(({ name, title }) => [name, title]);
  const columns = ["name", "answers"].map((name) => ({ name, type: "VARCHAR" }));
  process.stdout.write(formatted({ columns, rows }, format));
}

// A reader that has seen enough (npm run query … | head) is no failure.
process.stdout.on("error", () => process.exit(EXIT.ok));
main().catch(endWith);
