/** The command line of `npm run query`. */

import { readFileSync } from "node:fs";
import yargs from "yargs";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { debugOption, failUsage, usageFault } from "../command.ts";
import { DEFAULT_DATA } from "../local/places.ts";
import { type NamedQuery, namedQueries } from "../sql/read.ts";
import type { Format } from "./format.ts";

export interface QueryOptions {
  /** The query's text; undefined where the named ones are to be listed. */
  sql: string | undefined;
  format: Format;
  /** The local cloud's folder. */
  data: string;
  /** Undefined: ask the local lake. */
  athena: { workgroup: string; region: string | undefined } | undefined;
}

const FORMATS = ["table", "csv", "json"] as const;

/** Reads the arguments after the program's name; a Fault with exit code 2 for what is wrong. */
export function parseOptions(args: readonly string[]): QueryOptions {
  const said = commandLine(args).parseSync();
  const words = said._.map(String);
  oneSource(said, words);
  return {
    sql: said.list ? undefined : textOf(said, words),
    format: said.json ? "json" : said.format,
    data: said.data,
    athena: said.athena ? { workgroup: said.workgroup, region: said.region } : undefined,
  };
}

function commandLine(args: readonly string[]) {
  return yargs(args.map(asQuery))
    .scriptName("npm run query --")
    .usage(
      '$0 "SELECT type, count(*) AS n, avg(data) AS mean FROM readings GROUP BY type"\n$0 --named NAME\n$0 --file FILE',
    )
    .option("list", { type: "boolean", describe: "List the named queries" })
    .option("named", { type: "string", describe: "Run the named query NAME" })
    .option("file", { type: "string", requiresArg: true, describe: "Run the query in this file" })
    .option("format", { choices: FORMATS, default: "table" as const, describe: "Output format" })
    .option("json", { type: "boolean", describe: "Same as --format json" })
    .option("data", { type: "string", default: DEFAULT_DATA, describe: "Folder of the local cloud" })
    .option("athena", { type: "boolean", describe: "Query Athena instead of the local lake" })
    .option("workgroup", { type: "string", default: "windfarm", describe: "Athena's workgroup" })
    .option("region", {
      type: "string",
      describe: "Athena's region; by default that of the AWS configuration",
    })
    .option("debug", debugOption)
    .strictOptions()
    .version(pkg.version)
    .parserConfiguration({ "duplicate-arguments-array": false, "parse-positional-numbers": false })
    .fail(failUsage);
}

/** A text that begins with a comment (`-- …`) is a query and no option, in whose name is neither blank nor line. */
function asQuery(word: string): string {
  return /^--(\s|[^=]*\n)/.test(word) ? ` ${word}` : word;
}

interface Sources {
  list?: boolean | undefined;
  named?: string | undefined;
  file?: string | undefined;
}

function oneSource({ list, named, file }: Sources, words: readonly string[]): void {
  const found = [
    list === true ? "--list" : undefined,
    named === undefined ? undefined : "--named",
    file === undefined ? undefined : "--file",
    words.length > 0 ? "a query" : undefined,
  ].filter((source) => source !== undefined);
  if (found.length > 1) throw usageFault(`${found.join(" and ")} are both given; one of them is enough`);
}

function textOf({ named: name, file }: Sources, words: readonly string[]): string {
  if (name !== undefined) return named(name).sql;
  return file === undefined ? given(words) : read(file);
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

function read(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new Fault("query.file", `--file ${file} can't be read: ${messageOf(cause)}`, {
      hint: "give the path of a file that holds one SELECT",
      exitCode: EXIT.usage,
      cause,
    });
  }
  if (text.includes("\0"))
    throw usageFault(`--file ${file} holds no text`, "give the path of a file that holds one SELECT");
  return text;
}
