/**
 * The one place of the lake's names and layout. The delivery stream, the crawler, the table, the job, the SQL and the
 * local lake all take them from here; nothing else spells a prefix, a column or a table name.
 *
 *   <raw>/readings/dt=2026-11-22/hr=12/…gz               by arrival, UTC; gzip NDJSON as it was shipped
 *   <raw>/errors/<kind>/dt=2026-11-22/…                  records the delivery stream could not take apart
 *   <lake>/curated/readings/dt=2026-11-22/v=<version>/   the table; a day is replaced by pointing at a new version
 *   <lake>/rejects/dt=2026-11-22/hr=12/…                 raw lines that are no readings, with their reason
 *   <lake>/index/dt=2026-11-22/hr=12.ndjson              which event days the objects of an arrival hour hold
 */

import { SHIPPED_FIELDS } from "../agent/contract/shipped.ts";

export interface Layout {
  database: string;
  table: string;
  /** The raw table, as the crawler names it. */
  rawTable: string;
  /** The Kinesis stream, and the delivery stream that reads it. */
  stream: string;
  deliveryStream: string;
  rawFolder: string;
  errorFolder: string;
  curatedFolder: string;
  rejectsFolder: string;
  indexFolder: string;
  /** Partition keys of the raw objects: the day and the hour of arrival, UTC. */
  rawPartitions: readonly { name: string; pattern: string }[];
  /** The curated table's partition key: the UTC day of `date`. */
  dayKey: string;
  /** The level below the day. */
  versionKey: string;
  /** The table's columns in order but for the day: the contract's fields and what a line may say besides, with their types. */
  fields: Fields;
  /** What a gateway's status line says (`gateways`), with its types. */
  statusFields: Fields;
}

type ColumnType = "string" | "double" | "bigint" | "timestamp" | "boolean";
type Fields = Readonly<Record<string, ColumnType>>;

export const LAYOUT: Layout = {
  database: "windfarm",
  table: "readings",
  rawTable: "raw_readings",
  stream: "windfarm-readings",
  deliveryStream: "windfarm-readings",
  rawFolder: "readings",
  errorFolder: "errors",
  curatedFolder: "curated/readings",
  rejectsFolder: "rejects",
  indexFolder: "index",
  rawPartitions: [
    { name: "dt", pattern: "yyyy-MM-dd" },
    { name: "hr", pattern: "HH" },
  ],
  dayKey: "dt",
  versionKey: "v",
  fields: { ...SHIPPED_FIELDS, day: "boolean", dup: "boolean" },
  statusFields: {
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
  },
};

/** Firehose's prefix of raw objects: `readings/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/`. */
export function firehosePrefix(layout: Layout = LAYOUT): string {
  const levels = layout.rawPartitions.map(({ name, pattern }) => `${name}=!{timestamp:${pattern}}`);
  return `${[layout.rawFolder, ...levels].join("/")}/`;
}

/** Firehose's prefix of what it could not deliver. */
export function firehoseErrorPrefix(layout: Layout = LAYOUT): string {
  const [day] = layout.rawPartitions;
  const level = day === undefined ? "" : `${day.name}=!{timestamp:${day.pattern}}/`;
  return `${layout.errorFolder}/!{firehose:error-output-type}/${level}`;
}

/** The folder of raw objects that arrived at `ms`: `readings/dt=2026-11-22/hr=12`. */
export function rawFolderAt(ms: number, layout: Layout = LAYOUT): string {
  return [
    layout.rawFolder,
    ...layout.rawPartitions.map(({ name, pattern }) => `${name}=${utc(ms, pattern)}`),
  ].join("/");
}

/** The folder of undeliverable records that arrived at `ms`. */
export function errorFolderAt(kind: string, ms: number, layout: Layout = LAYOUT): string {
  const [day] = layout.rawPartitions;
  const levels = day === undefined ? [] : [`${day.name}=${utc(ms, day.pattern)}`];
  return [layout.errorFolder, kind, ...levels].join("/");
}

/** A raw object's name, as Firehose builds it: `windfarm-readings-1-2026-11-22-12-00-00-<uuid>.gz`. */
export function rawObjectName(ms: number, uuid: string, layout: Layout = LAYOUT): string {
  return `${layout.deliveryStream}-1-${utc(ms, "yyyy-MM-dd-HH-mm-ss")}-${uuid}.gz`;
}

/** The folder of one version of a day: `curated/readings/dt=2026-11-22/v=<version>`. */
export function versionFolder(day: string, version: string, layout: Layout = LAYOUT): string {
  return `${dayFolder(day, layout)}/${layout.versionKey}=${version}`;
}

/** The folder of all versions of a day. */
export function dayFolder(day: string, layout: Layout = LAYOUT): string {
  return `${layout.curatedFolder}/${layout.dayKey}=${day}`;
}

/** The index file of the arrival hour a raw object lies in: `index/dt=2026-11-22/hr=12.ndjson`. */
export function indexFileOf(rawObject: string, layout: Layout = LAYOUT): string {
  const levels = rawObject.split("/").slice(layout.rawFolder.split("/").length, -1);
  return `${[layout.indexFolder, ...levels].join("/")}.ndjson`;
}

/** Where the rejected lines of a raw object go. */
export function rejectsFileOf(rawObject: string, layout: Layout = LAYOUT): string {
  return `${layout.rejectsFolder}${rawObject.slice(layout.rawFolder.length).replace(/\.gz$/, "")}.ndjson`;
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
export function curatedColumns(layout: Layout = LAYOUT): Column[] {
  return Object.entries(layout.fields).map(([name, type]) => ({ name, ...TYPES[type] }));
}

/** The raw table's columns: all that any line may say, every one a string, for no engine may guess. */
export function rawColumns(layout: Layout = LAYOUT): Column[] {
  return strings(new Set(["kind", ...Object.keys(layout.fields), ...Object.keys(layout.statusFields)]));
}

/** The columns of the view raw_readings that stand in the lines; check.sql names the three others. */
export function rawReadingColumns(layout: Layout = LAYOUT): Column[] {
  return strings(["kind", "sent", ...Object.keys(layout.fields)]);
}

function strings(names: Iterable<string>): Column[] {
  return [...names].map((name) => ({ name, ...TYPES.string }));
}

/** The curated table's partition key; a string, so that `dt = '2026-11-22'` means the same everywhere. */
export function dayColumn(layout: Layout = LAYOUT): Column {
  return { name: layout.dayKey, ...TYPES.string };
}

/** One line of an index file. */
export interface IndexEntry {
  /** The raw object's key, from the raw folder on. */
  object: string;
  /** What read it (conversionId); an entry by another is no entry. */
  conversion: string;
  /** Lines that are readings. */
  readings: number;
  /** Readings by event day. */
  days: Readonly<Record<string, number>>;
  /** Lines that are none, by reason. */
  rejects: Readonly<Record<string, number>>;
}

/** What the job needs of the layout, as its arguments (`--<key> <value>`); columns as `name:type,…`, types as Spark's. */
export function layoutForJob(layout: Layout = LAYOUT): Record<string, string> {
  const flat = (fields: Fields) =>
    Object.entries(fields)
      .map(([name, type]) => `${name}:${TYPES[type].spark}`)
      .join(",");
  return {
    database: layout.database,
    raw_folder: layout.rawFolder,
    raw_partitions: layout.rawPartitions.map(({ name }) => name).join(","),
    columns: flat(layout.fields),
    status_columns: flat(layout.statusFields),
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
