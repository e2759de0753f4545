/**
 * The one place of the lake's names and layout. The delivery stream, the crawler, the table, the job, the SQL and the
 * local lake all take them from here; nothing else spells a prefix, a column or a table name.
 *
 *   <raw>/readings/dt=2026-11-22/hr=12/…gz      by arrival, UTC; gzip NDJSON as it was shipped
 *   <raw>/errors/<kind>/dt=2026-11-22/…         records the delivery stream could not take apart
 *   <lake>/curated/<table>/…                    on AWS the Iceberg tables, on the laptop a Parquet file a shelf
 */

import { SHIPPED_FIELDS } from "../agent/contract/shipped.ts";

type ColumnType = "string" | "double" | "bigint" | "timestamp" | "boolean";
type Fields = Readonly<Record<string, ColumnType>>;

/** The curated table's columns in order but for the day: the contract's fields and what a line may say besides. */
const READING_FIELDS: Fields = { ...SHIPPED_FIELDS, day: "boolean", dup: "boolean" };

/** What a gateway's status line says (`gateways`), with its types. */
const STATUS_FIELDS: Fields = {
  gateway: "string",
  site: "string",
  epoch: "string",
  first: "bigint",
  last: "bigint",
  sent: "timestamp",
  version: "string",
  state: "string",
  received: "bigint",
  buffered: "bigint",
  shipped: "bigint",
  rejected: "bigint",
  dropped: "bigint",
  cpu: "double",
  memory: "bigint",
  temperature: "double",
  disk_free: "bigint",
  clock_synced: "boolean",
  written_today: "bigint",
};

export const LAYOUT = {
  database: "windfarm",
  table: "readings",
  /** The raw table, as the crawler names it. */
  rawTable: "raw_readings",
  /** The Kinesis stream, and the delivery stream that reads it. */
  stream: "windfarm-readings",
  deliveryStream: "windfarm-readings",
  rawFolder: "readings",
  errorFolder: "errors",
  /** Partition keys of the raw objects: the day and the hour of arrival, UTC. */
  rawPartitions: [
    { name: "dt", pattern: "yyyy-MM-dd" },
    { name: "hr", pattern: "HH" },
  ] as const,
  /** The curated table's column for the UTC day of `date`. */
  dayKey: "dt",
  fields: READING_FIELDS,
  statusFields: STATUS_FIELDS,
};

/** Firehose's prefix of raw objects: `readings/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/`. */
export function firehosePrefix(): string {
  const levels = LAYOUT.rawPartitions.map(({ name, pattern }) => `${name}=!{timestamp:${pattern}}`);
  return `${[LAYOUT.rawFolder, ...levels].join("/")}/`;
}

/** Firehose's prefix of what it could not deliver. */
export function firehoseErrorPrefix(): string {
  const [day] = LAYOUT.rawPartitions;
  const level = `${day.name}=!{timestamp:${day.pattern}}/`;
  return `${LAYOUT.errorFolder}/!{firehose:error-output-type}/${level}`;
}

/** The folder of raw objects that arrived at `ms`: `readings/dt=2026-11-22/hr=12`. */
export function rawFolderAt(ms: number): string {
  return [
    LAYOUT.rawFolder,
    ...LAYOUT.rawPartitions.map(({ name, pattern }) => `${name}=${utc(ms, pattern)}`),
  ].join("/");
}

/** A raw object's name, as Firehose builds it: `windfarm-readings-1-2026-11-22-12-00-00-<uuid>.gz`. */
export function rawObjectName(ms: number, uuid: string): string {
  return `${LAYOUT.deliveryStream}-1-${utc(ms, "yyyy-MM-dd-HH-mm-ss")}-${uuid}.gz`;
}

/** A column with its type in each dialect. */
export interface Column {
  name: string;
  hive: string;
  duckdb: string;
  spark: string;
}

const TYPES = {
  string: { hive: "string", duckdb: "VARCHAR", spark: "string" },
  double: { hive: "double", duckdb: "DOUBLE", spark: "double" },
  bigint: { hive: "bigint", duckdb: "BIGINT", spark: "bigint" },
  timestamp: { hive: "timestamp", duckdb: "TIMESTAMP", spark: "timestamp" },
  boolean: { hive: "boolean", duckdb: "BOOLEAN", spark: "boolean" },
} as const;

/** The curated table's columns, without the partition key. */
export function curatedColumns(): Column[] {
  return Object.entries(LAYOUT.fields).map(([name, type]) => ({ name, ...TYPES[type] }));
}

/** The raw table's columns: all that any line may say, every one a string, for no engine may guess. */
export function rawColumns(): Column[] {
  return strings(new Set(["kind", ...Object.keys(LAYOUT.fields), ...Object.keys(LAYOUT.statusFields)]));
}

/** The columns of the view raw_readings that stand in the lines; check.sql names the three others. */
export function rawReadingColumns(): Column[] {
  return strings(["kind", "sent", ...Object.keys(LAYOUT.fields)]);
}

function strings(names: Iterable<string>): Column[] {
  return [...names].map((name) => ({ name, ...TYPES.string }));
}

/** The curated table's partition key; a string, so that `dt = '2026-11-22'` means the same everywhere. */
export function dayColumn(): Column {
  return { name: LAYOUT.dayKey, ...TYPES.string };
}

/** What the job needs of the layout, as its arguments (`--<key> <value>`); columns as `name:type,…`, types as Spark's. */
export function layoutForJob(): Record<string, string> {
  const flat = (fields: Fields) =>
    Object.entries(fields)
      .map(([name, type]) => `${name}:${TYPES[type].spark}`)
      .join(",");
  return {
    database: LAYOUT.database,
    raw_folder: LAYOUT.rawFolder,
    raw_partitions: LAYOUT.rawPartitions.map(({ name }) => name).join(","),
    columns: flat(LAYOUT.fields),
    status_columns: flat(LAYOUT.statusFields),
  };
}

/** `ms` in UTC by a Java-style pattern of yyyy, MM, dd, HH, mm, ss. */
function utc(ms: number, pattern: string): string {
  const iso = new Date(ms).toISOString();
  const parts: Record<string, string> = {
    yyyy: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    dd: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19),
  };
  return pattern.replace(/yyyy|MM|dd|HH|mm|ss/g, (name) => parts[name] ?? name);
}
