/** Compares what sensors had acknowledged with what the lake holds, row by row, inside the engine. */

import { join } from "node:path";
import { z } from "zod";
import { tableFiles } from "../../cloud/local/catalog.ts";
import { Duck, quoted } from "../../cloud/local/duck.ts";
import { cloudFolders } from "../../cloud/local/places.ts";

export interface Comparison {
  /** Readings acknowledged, as the ledger has them. */
  acknowledged: number;
  /** Of these, not in the lake. */
  missing: number;
  /** Rows of the lake, and how many of them repeat another. */
  rows: number;
  repeated: number;
}

const IDENTITY = "turbine, type, id, date, data";
const Counts = z.object({
  acknowledged: z.bigint(),
  missing: z.bigint(),
  rows: z.bigint(),
  repeated: z.bigint(),
});

/** @param ledgers files of `simulate --ledger` */
export async function compareLedgers(ledgers: readonly string[], cloudFolder: string): Promise<Comparison> {
  const { lake } = cloudFolders(cloudFolder);
  const files = (tableFiles(lake) ?? []).map(quoted);
  const duck = new Duck({ temporaryFolder: join(cloudFolder, "compare") });
  await duck.start();
  try {
    const columns = "{id: 'VARCHAR', data: 'DOUBLE', type: 'VARCHAR', date: 'TIMESTAMP', turbine: 'VARCHAR'}";
    await duck.run(
      `CREATE VIEW ledger AS SELECT DISTINCT ${IDENTITY} FROM read_json([${ledgers.map(quoted)}],
         format = 'newline_delimited', columns = ${columns})`,
    );
    await duck.run(
      `CREATE VIEW lake AS SELECT ${IDENTITY} FROM read_parquet([${files}], hive_partitioning = false)`,
    );
    const [counts] = await duck.rows(
      `SELECT (SELECT count(*) FROM ledger) AS acknowledged,
              (SELECT count(*) FROM (SELECT * FROM ledger EXCEPT SELECT * FROM lake)) AS missing,
              (SELECT count(*) FROM lake) AS rows,
              (SELECT count(*) FROM lake) - (SELECT count(*) FROM (SELECT DISTINCT * FROM lake)) AS repeated`,
      Counts,
    );
    const { acknowledged = 0n, missing = 0n, rows = 0n, repeated = 0n } = counts ?? {};
    return {
      acknowledged: Number(acknowledged),
      missing: Number(missing),
      rows: Number(rows),
      repeated: Number(repeated),
    };
  } finally {
    duck.stop();
  }
}
