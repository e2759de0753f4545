/** `npm run query -- "SELECT …"`: SQL over the lake, here or, with --athena, the same text in Athena. */

import { hideBin } from "yargs/helpers";
import { endWith, forgiveReaders } from "../command.ts";
import { type QueryResult, queryLake } from "../local/lake-reader.ts";
import { cloudFolders } from "../local/places.ts";
import { namedQueries } from "../sql/read.ts";
import { type Format, formatted } from "./format.ts";
import { parseOptions, type QueryOptions } from "./query-options.ts";

async function main(): Promise<void> {
  const { sql, format, data, athena } = parseOptions(hideBin(process.argv));
  if (sql === undefined) return list(format);
  const result =
    athena === undefined ? await queryLake(cloudFolders(data).lake, sql) : await inAthena(sql, athena);
  process.stdout.write(formatted(result, format));
}

/** Loaded only when asked for: the SDK takes longer to load than a query takes here. */
async function inAthena(
  sql: string,
  { workgroup, region }: NonNullable<QueryOptions["athena"]>,
): Promise<QueryResult> {
  const { queryAthena } = await import("./athena.ts");
  return queryAthena(sql, { workgroup, ...(region === undefined ? {} : { region }) });
}

function list(format: Format): void {
  const rows = namedQueries().map(({ name, title }) => [name, title]);
  const columns = ["name", "answers"].map((name) => ({ name, type: "VARCHAR" }));
  process.stdout.write(formatted({ columns, rows }, format));
}

// The SDK would announce that it will drop Node 20; the lockfile keeps the version that has it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

forgiveReaders();
main().catch(endWith);
