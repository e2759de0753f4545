/** The lake's Parquet files as tables of Trino, read where they lie, as Athena reads them through the Data Catalog. */

import { dirname, relative } from "node:path";
import { type Column, curatedColumns, dayColumn, LAYOUT } from "../../../cloud/layout.ts";
import { readCatalog } from "../../../cloud/local/catalog.ts";
import { quoted } from "../../../cloud/local/duck.ts";
import type { Trino } from "./trino.ts";

/** Trino's words for types that it calls otherwise than Hive. Both writers' times are in microseconds. */
const TYPES: Readonly<Record<string, string>> = { string: "varchar", timestamp: "timestamp(6)" };

/** Makes the table of the lake at `root`: each day a partition that points at the folder of its version. */
export async function tableOfLake(trino: Trino, schema: string, folder: string, root: string): Promise<void> {
  const { table, curatedFolder, dayKey } = LAYOUT;
  await createTable(trino, schema, {
    table,
    columns: [...curatedColumns(), dayColumn()],
    location: locationOf(folder, `${root}/${curatedFolder}`),
    more: `, partitioned_by = ARRAY[${quoted(dayKey)}]`,
  });
  const catalog = await readCatalog(root);
  for (const [day, { files }] of Object.entries(catalog?.days ?? {})) {
    const location = locationOf(folder, `${root}/${dirname(files[0] ?? "")}`);
    await trino.ask(
      schema,
      `CALL system.register_partition(${quoted(schema)}, ${quoted(table)}, ARRAY[${quoted(dayKey)}], ` +
        `ARRAY[${quoted(day)}], ${quoted(location)})`,
    );
  }
}

/** Makes a table of the Parquet files in one folder. */
export async function tableOfFolder(
  trino: Trino,
  schema: string,
  folder: string,
  { table, columns, path }: { table: string; columns: readonly Column[]; path: string },
): Promise<void> {
  await createTable(trino, schema, { table, columns, location: locationOf(folder, path), more: "" });
}

interface Table {
  table: string;
  columns: readonly Column[];
  location: string;
  more: string;
}

async function createTable(
  trino: Trino,
  schema: string,
  { table, columns, location, more }: Table,
): Promise<void> {
  const typed = columns.map(({ name, hive }) => `${name} ${TYPES[hive] ?? hive}`).join(", ");
  await trino.ask(schema, `CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await trino.ask(
    schema,
    `CREATE TABLE ${table} (${typed}) WITH (format = 'PARQUET', external_location = ${quoted(location)}${more})`,
  );
}

function locationOf(folder: string, path: string): string {
  return `local:///${relative(folder, path)}`;
}
