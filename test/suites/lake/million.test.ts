/**
 * A day of a million readings, and a stream that is anything but orderly: late by twenty days, dated ahead, doubled, with
 * bad lines between. Prints what it took; the limits are those of the design.
 */

import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import t from "tap";
import { SENSOR_TYPES } from "../../../agent/contract/sensors.ts";
import { encodeShipped } from "../../../agent/contract/shipped.ts";
import { readCatalog } from "../../../cloud/local/catalog.ts";
import { Lake } from "../../../cloud/local/lake.ts";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { lakeFolder, objectName, silent } from "../../cloud/local/helpers/lake.ts";

const READINGS = 1_000_000;
const DAY_MS = 86_400_000;
const DAY = Date.parse("2026-11-22T00:00:00.000Z");

/** A generator of numbers in [0, 1), the same each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** The reading number `seq` of a farm of five turbines. */
function line(seq: number, dateMs: number, value: number): string {
  const sensor = seq % 15;
  return encodeShipped({
    id: `R_${Math.floor(seq / 15)}`,
    data: Math.round(value * 1_000) / 1_000,
    type: SENSOR_TYPES[sensor % 3] ?? "Power Factor",
    date: new Date(dateMs).toISOString(),
    turbine: `T0${Math.floor(sensor / 3)}`,
    gateway: "gw-01",
    epoch: "e1",
    seq,
    received: new Date(DAY + (seq % 86_400_000)).toISOString(),
  });
}

/** Writes lines as objects of 25 000, one after the other through the hours; bytes before and after compression. */
function writeObjects(raw: string, lines: Generator<string>): { plain: number; packed: number } {
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
    if (batch.length === 25_000) write();
  }
  if (batch.length > 0) write();
  return { plain, packed };
}

async function curate(raw: string, root: string): Promise<{ lake: Lake; ms: number; cpuMs: number }> {
  const lake = new Lake({ root, graceMs: 0 }, new RawStore(raw), silent);
  await lake.start();
  const [startedMs, startedCpu] = [Date.now(), process.cpuUsage()];
  await lake.refresh();
  const { user, system } = process.cpuUsage(startedCpu);
  return { lake, ms: Date.now() - startedMs, cpuMs: Math.round((user + system) / 1_000) };
}

/** Compressed bytes of the columns a query names, by the files' own footers. */
async function columnBytes(files: readonly string[], columns: readonly string[]): Promise<number> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const list = (texts: readonly string[]) => texts.map((text) => `'${text}'`).join(", ");
  const answer = await connection.runAndReadAll(
    `SELECT sum(total_compressed_size)::DOUBLE FROM parquet_metadata([${list(files)}]) WHERE path_in_schema IN (${list(columns)})`,
  );
  connection.closeSync();
  return Number(answer.getRowsJS()[0]?.[0]);
}

function treeBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? treeBytes(path) : statSync(path).size);
  }, 0);
}

t.test("a day of a million readings: raw JSON to Parquet, and an hourly average over it", async (t) => {
  const folder = lakeFolder(t.testdir());
  const next = random(7);
  const [loadBefore = 0] = loadavg();
  const bytes = writeObjects(
    folder.raw,
    (function* () {
      // Fifteen sensors in step, as a farm publishes them, none of them to the same millisecond.
      for (let seq = 1; seq <= READINGS; seq++) {
        const tickMs = Math.floor(seq / 15) * (15 * DAY_MS) * (1 / READINGS);
        yield line(seq, DAY + Math.floor(tickMs + next() * 50), [1, 23, 76][seq % 3]! * (0.9 + next() / 5));
      }
    })(),
  );
  const { lake, ms, cpuMs } = await curate(folder.raw, folder.lake);
  t.equal(lake.rows, READINGS);
  await lake.stop();
  const catalog = await readCatalog(folder.lake);
  const files = Object.values(catalog?.days ?? {}).flatMap((day) =>
    day.files.map((file) => join(folder.lake, file)),
  );
  const readBytes = await columnBytes(files, ["type", "turbine", "date", "data"]);
  const table = treeBytes(join(folder.lake, "curated"));
  t.comment(`raw ${bytes.plain} bytes of JSON, ${bytes.packed} packed; table ${table} bytes`);
  t.comment(`raw to Parquet ${ms} ms, ${cpuMs} ms of processor time on ${availableParallelism()} cores`);
  t.comment(
    `an hourly average reads ${readBytes} bytes, 1/${Math.round(bytes.plain / readBytes)} of the raw JSON`,
  );
  t.ok(bytes.plain / readBytes > 20, "an hourly average reads less than a twentieth of the raw bytes");
  const busy =
    loadBefore > 1 ? `other programs keep the machine busy (load ${loadBefore.toFixed(1)})` : false;
  t.ok(ms < 5_000, "a day of a million readings becomes Parquet in less than five seconds", { skip: busy });
});

t.test(
  "late, future-dated, doubled and bad lines: each reading once, and again nothing changes",
  async (t) => {
    const folder = lakeFolder(t.testdir());
    const next = random(11);
    const expected = { readings: 0, bad: 0, again: 0, days: new Set<string>() };
    const lines = function* () {
      for (let seq = 1; seq <= READINGS; seq++) {
        const kind = next();
        let dateMs = DAY + Math.floor((seq / READINGS) * DAY_MS);
        // An outage of twenty days, a clock that runs ahead a day with each message, dates that are days.
        if (kind < 0.2) dateMs -= Math.floor(next() * 20 * DAY_MS);
        else if (kind < 0.2002) dateMs += Math.floor(next() * 400) * DAY_MS;
        else if (kind < 0.25) dateMs = DAY;
        const text = line(seq, dateMs, 23 + next());
        if (kind > 0.999) {
          expected.bad++;
          yield ["not json\n", "{}\n", text.replace(/"date":"[^"]*"/, '"date":"22/11"')][seq % 3] ?? "";
          continue;
        }
        expected.readings++;
        expected.days.add(new Date(dateMs).toISOString().slice(0, 10));
        yield text;
        if (kind > 0.9) {
          expected.again++;
          yield text;
        }
      }
    };
    writeObjects(folder.raw, lines());
    const first = await curate(folder.raw, folder.lake);
    const rejects = [...first.lake.index.rejects.values()].reduce((sum, count) => sum + count, 0);
    t.comment(`${expected.days.size} days in ${first.ms} ms, ${first.cpuMs} ms of processor time`);
    t.equal(first.lake.rows, expected.readings);
    t.equal(first.lake.curatedReadings - first.lake.rows, expected.again);
    t.equal(rejects, expected.bad);
    await first.lake.stop();
    const [counted] = await folder.rows(
      "SELECT count(DISTINCT seq), count(DISTINCT dt), sum(CASE WHEN dt = substr(CAST(date AS varchar(30)), 1, 10) THEN 0 ELSE 1 END) FROM readings",
    );
    t.same(counted, [expected.readings, expected.days.size, 0]);

    const catalog = await readCatalog(folder.lake);
    const second = await curate(folder.raw, folder.lake);
    await second.lake.stop();
    t.same(await readCatalog(folder.lake), catalog, "running it again changes nothing");
  },
);
