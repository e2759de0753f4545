/** Two lakes' tables side by side in DuckDB, as their catalogs describe them. */

import { join } from "node:path";
import { pino } from "pino";
import { z } from "zod";
import { LAYOUT, type Layout } from "../../../cloud/layout.ts";
import { readCatalog } from "../../../cloud/local/catalog.ts";
import { Duck, quoted } from "../../../cloud/local/duck.ts";
import { Lake } from "../../../cloud/local/lake.ts";
import type { RawStore } from "../../../cloud/local/raw-store.ts";

/** Brings the local lake at `root` up to the raw objects, by DuckDB. */
export async function curateByDuckDb(raw: RawStore, root: string, layout: Layout = LAYOUT): Promise<void> {
  const lake = new Lake({ root, graceMs: 0, layout }, raw, pino({ level: "silent" }));
  await lake.start();
  await lake.refresh();
  await lake.stop();
}

/** The Parquet files of the table of the lake at `root`. */
export async function filesOf(root: string): Promise<string[]> {
  const catalog = await readCatalog(root);
  return Object.values(catalog?.days ?? {}).flatMap(({ files }) => files.map((file) => join(root, file)));
}

const Row = z.object({ n: z.coerce.number() });
const Type = z.object({ column_name: z.string(), column_type: z.string() });

export interface Comparison {
  rows: [number, number];
  /** Rows that only one of them has, each as often as it has it more. */
  onlyIn: [number, number];
  types: [string[], string[]];
}

/** Compares the tables of two lakes row by row. */
export async function compare(
  one: string,
  other: string,
  temporaryFolder: string,
  { dayKey, versionKey }: Layout = LAYOUT,
): Promise<Comparison> {
  const duck = new Duck({ temporaryFolder });
  await duck.start();
  try {
    for (const [name, root] of Object.entries({ one, other })) {
      const files = (await filesOf(root)).map(quoted).join(", ");
      const types = `hive_types = {${dayKey}: VARCHAR, ${versionKey}: VARCHAR}`;
      await duck.run(
        `CREATE VIEW ${name} AS SELECT * EXCLUDE ${versionKey} FROM read_parquet([${files}], hive_partitioning = true, ${types})`,
      );
    }
    const count = async (sql: string) =>
      (await duck.rows(`SELECT count(*) AS n FROM ${sql}`, Row))[0]?.n ?? 0;
    const types = async (name: string) =>
      (await duck.rows(`DESCRIBE ${name}`, Type)).map(
        (column) => `${column.column_name} ${column.column_type}`,
      );
    return {
      rows: [await count("one"), await count("other")],
      onlyIn: [
        await count("(FROM one EXCEPT ALL FROM other)"),
        await count("(FROM other EXCEPT ALL FROM one)"),
      ],
      types: [await types("one"), await types("other")],
    };
  } finally {
    duck.stop();
  }
}
