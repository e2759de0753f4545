/** Raw objects of one large day, for what takes size to show. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { SENSOR_TYPES } from "../../agent/contract/sensors.ts";
import { encodeShipped } from "../../agent/contract/shipped.ts";
import { tableFiles } from "../../cloud/local/catalog.ts";
import { Lake } from "../../cloud/local/lake.ts";
import { RawStore } from "../../cloud/local/raw-store.ts";
import { objectName, silent } from "../cloud/local/helpers/lake.ts";

export const DAY_MS = 86_400_000;
export const DAY = Date.parse("2026-11-22T00:00:00.000Z");
const LINES_AN_OBJECT = 25_000;
const SENSORS = 15;

/** A generator of numbers in [0, 1), the same each run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** The reading number `seq` of a farm of five turbines. */
export function line(seq: number, dateMs: number, value: number): string {
  const sensor = seq % SENSORS;
  return encodeShipped({
    id: `R_${Math.floor(seq / SENSORS)}`,
    data: Math.round(value * 1_000) / 1_000,
    type: SENSOR_TYPES[sensor % 3] ?? "Power Factor",
    date: new Date(dateMs).toISOString(),
    turbine: `T0${Math.floor(sensor / 3)}`,
    gateway: "gw-01",
    epoch: "e1",
    seq,
    received: new Date(DAY + (seq % DAY_MS)).toISOString(),
  });
}

/** Writes lines as objects, one after the other through the hours; bytes before and after compression. */
export function writeObjects(raw: string, lines: Generator<string>): { plain: number; packed: number } {
  let [plain, packed, object] = [0, 0, 0];
  let batch: string[] = [];
  const write = () => {
    const text = batch.join("");
    const bytes = gzipSync(text, { level: 6 });
    const path = join(raw, objectName(object % 24, `o-${String(object++).padStart(4, "0")}`));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    plain += text.length;
    packed += bytes.length;
    batch = [];
  };
  for (const text of lines) {
    batch.push(text);
    if (batch.length === LINES_AN_OBJECT) write();
  }
  if (batch.length > 0) write();
  return { plain, packed };
}

/** Fifteen sensors in step through the day, as a farm publishes them, none of them to the same millisecond. */
export function* orderlyDay(readings: number): Generator<string> {
  const next = random(7);
  const nominal = [1, 23, 76];
  for (let seq = 1; seq <= readings; seq++) {
    const tickMs = Math.floor(seq / SENSORS) * ((SENSORS * DAY_MS) / readings);
    const value = (nominal[seq % 3] ?? 1) * (0.9 + next() / 5);
    yield line(seq, DAY + Math.floor(tickMs + next() * 50), value);
  }
}

/** Brings a lake up to all that lies in `raw`, and measures it. The lake is to be stopped. */
export async function curate(raw: string, root: string): Promise<{ lake: Lake; ms: number; cpuMs: number }> {
  const lake = new Lake({ root, graceMs: 0 }, new RawStore(raw), silent);
  await lake.start();
  const [startedMs, startedCpu] = [Date.now(), process.cpuUsage()];
  await lake.refresh();
  const { user, system } = process.cpuUsage(startedCpu);
  return { lake, ms: Date.now() - startedMs, cpuMs: Math.round((user + system) / 1_000) };
}

/** Compressed bytes of the columns a query names in the table of a lake, by the files' own footers. */
export async function columnBytes(root: string, columns: readonly string[]): Promise<number> {
  const files = tableFiles(root) ?? [];
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const list = (texts: readonly string[]) => texts.map((text) => `'${text}'`).join(", ");
  const answer = await connection.runAndReadAll(
    `SELECT sum(total_compressed_size)::DOUBLE FROM parquet_metadata([${list(files)}]) WHERE path_in_schema IN (${list(columns)})`,
  );
  connection.closeSync();
  return Number(answer.getRowsJS()[0]?.[0]);
}
