/**
 * What an hourly run costs doesn't grow with the day; days nobody can have meant cost one file. HOUR_LINES are in each of HOURS
 * hours; five are enough to see what a run of so many lines costs, and too few to see a trend.
 */

import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { z } from "zod";
import { RawStore } from "../../../cloud/local/raw-store.ts";
import { putRaw } from "./raw-readings.ts";
import { argumentsOf, askSpark, curate, runPython, sparkMissing, timeSpark } from "./spark.ts";

const LINES = Number(process.env.HOUR_LINES ?? 40_000);
const HOURS = Number(process.env.HOURS ?? 24);
const HOUR_MS = 3_600_000;
const LONGEST_LOAD_S = 120;
const LONGEST_SCAN_S = 3;
const DAY_MS = Date.UTC(2026, 10, 22);
const folder = t.testdir();
const skip = sparkMissing();
const Hours = z.array(z.object({ cpu: z.number(), bytes: z.number(), rows: z.number() }));

function line(seq: number, ms: number, epoch = "e1"): string {
  const date = new Date(ms).toISOString();
  const reading = { id: `P_${seq}`, data: seq % 97, type: "Power Factor", date, turbine: `T${seq % 10}` };
  return JSON.stringify({
    ...reading,
    gateway: "gw-01",
    epoch,
    seq,
    received: new Date(ms + 100).toISOString(),
  });
}

t.test("a late hour costs at most half more than an early one", { skip, timeout: 840_000 }, async (t) => {
  const coming = new RawStore(join(folder, "coming"));
  for (let hour = 0; hour < HOURS; hour++) {
    const at = DAY_MS + hour * HOUR_MS;
    const step = Math.floor((HOUR_MS - 1) / LINES);
    const lines = Array.from({ length: LINES }, (_, n) => line(hour * LINES + n + 1, at + n * step));
    // A tenth of the hour before comes once more.
    const again = Array.from({ length: hour > 0 ? LINES / 10 : 0 }, (_, n) =>
      line((hour - 1) * LINES + n + 1, at - HOUR_MS + n * step),
    );
    putRaw(coming, at, `${[...lines, ...again].join("\n")}\n`);
  }
  const lake = join(folder, "hours/lake");
  const script = join(import.meta.dirname, "hours.py");
  const job = argumentsOf({ raw: join(folder, "hours/raw"), lake }).slice(1);
  const ended = await runPython([script, coming.root, ...job], resolve("."));
  t.equal(ended.code, 0, ended.stderr.slice(-3_000));
  const hours = Hours.parse(JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? ""));
  t.ok(hours.every(({ rows }) => rows === LINES));
  t.comment(JSON.stringify(hours.map(({ cpu, bytes }) => [Number(cpu.toFixed(1)), bytes])));
  // Each is the mean of three: a garbage collection more or less is no trend.
  const mean = (from: number) => hours.slice(from, from + 3).reduce((sum, { cpu }) => sum + cpu / 3, 0);
  if (HOURS < 8) return;
  t.ok(
    mean(HOURS - 3) <= 1.5 * mean(2),
    `${mean(HOURS - 3).toFixed(1)} CPU seconds an hour in the evening, ${mean(2).toFixed(1)} at first`,
  );
});

t.test("five thousand days of a reading each hold up nobody", { skip, timeout: 840_000 }, async (t) => {
  const raw = new RawStore(join(folder, "days/raw"));
  const lake = join(folder, "days/lake");
  const days = Array.from({ length: 5_000 }, (_, n) => line(n + 1, DAY_MS + n * 24 * HOUR_MS));
  putRaw(raw, DAY_MS, `${days.join("\n")}\n`);
  const today = Array.from({ length: LINES }, (_, n) => line(n + 1, DAY_MS + n + 1, "e2"));
  putRaw(raw, DAY_MS + HOUR_MS, `${today.join("\n")}\n`);
  const begun = performance.now();
  const { rows } = await curate({ raw: raw.root, lake });
  const loaded = (performance.now() - begun) / 1000;
  t.equal(rows, 5_000 + LINES);
  t.ok(loaded < LONGEST_LOAD_S, `all is in the table after ${loaded.toFixed(1)} s, Spark's start included`);
  const shelves = readdirSync(join(lake, "curated/windfarm/readings/data"));
  t.same(shelves.sort(), ["shelf=2026-11-22", "shelf=2026-11-23", "shelf=2026-11-24", "shelf=other"]);
  const day = "SELECT count(*), avg(data), max(received), max(id) FROM readings WHERE dt = '2026-11-22'";
  const { counted = [] } = await askSpark(lake, { counted: day });
  t.equal(counted[0]?.[0], `${LINES + 1}`);
  // The first is Spark's first query at all; whatever else the machine does, one of five is left alone.
  const seconds = await timeSpark(lake, day, 5);
  t.ok(
    Math.min(...seconds) < LONGEST_SCAN_S,
    `scans of a day in ${seconds.map((s) => s.toFixed(2)).join(", ")} s`,
  );
});
