/** DuckDB in Glue's and Athena's place: in memory, with limits that leave the machine to others. */

import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { z } from "zod";

export interface DuckSettings {
  /** Where it spills to. */
  temporaryFolder: string;
  /** Default 2, or 1 on a machine with one core. */
  threads?: number;
  /** Bytes, default 1 GiB. */
  memoryBytes?: number;
}

export class Duck {
  readonly #settings: DuckSettings;
  #instance: DuckDBInstance | undefined;
  #connection: DuckDBConnection | undefined;

  constructor(settings: DuckSettings) {
    this.#settings = settings;
  }

  async start(): Promise<void> {
    const {
      temporaryFolder,
      threads = Math.min(2, availableParallelism()),
      memoryBytes = 1024 ** 3,
    } = this.#settings;
    mkdirSync(temporaryFolder, { recursive: true });
    this.#instance = await DuckDBInstance.create(":memory:", {
      threads: String(threads),
      memory_limit: `${Math.round(memoryBytes / 1024 ** 2)}MiB`,
      temp_directory: temporaryFolder,
      autoinstall_known_extensions: "false",
    });
    this.#connection = await this.#instance.connect();
    // The session's zone is UTC in every engine that runs the same texts.
    await this.run("SET TimeZone = 'UTC'");
  }

  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  /** The rows, each checked against `row`. Integers come as bigint where they are BIGINT. */
  async rows<T>(sql: string, row: z.ZodType<T>): Promise<T[]> {
    const answer = await this.connection.runAndReadAll(sql);
    return answer.getRowObjectsJS().map((found) => row.parse(found));
  }

  stop(): void {
    this.#connection?.closeSync();
    this.#instance?.closeSync();
    this.#connection = undefined;
    this.#instance = undefined;
  }

  get connection(): DuckDBConnection {
    if (this.#connection === undefined) throw new TypeError("the engine is not started");
    return this.#connection;
  }
}

/** `text` as an SQL string. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
