import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { LAYOUT } from "../../../cloud/layout.ts";
import { inLayout } from "../../../cloud/sql/in-layout.ts";
import { sqlFolder } from "../../../cloud/sql/read.ts";
import { OTHER_LAYOUT } from "../other-layout.ts";

function texts(): string[] {
  const files = readdirSync(sqlFolder(), { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".sql"))
    .map((name) => readFileSync(join(sqlFolder(), name), "utf8"));
}

t.test("in the shipped layout every text stays as it stands", async (t) => {
  t.ok(texts().length > 0);
  for (const text of texts()) t.equal(inLayout(text, LAYOUT), text);
});

t.test("in another layout no text says a shipped name", async (t) => {
  for (const text of texts()) {
    const sql = inLayout(text, OTHER_LAYOUT).replace(/--.*|'[^']*'/g, "");
    t.notMatch(sql, /\bdt\b|\b(FROM|JOIN)\s+(windfarm\.)?readings\b|\breadings\./);
  }
});

t.test("names are put in where they are names", async (t) => {
  const cases: [shipped: string, other: string][] = [
    ["SELECT dt FROM readings", "SELECT event_day FROM measurements"],
    [
      "SELECT r.dt, dt2 FROM windfarm.readings AS r",
      "SELECT r.event_day, dt2 FROM otherfarm.measurements AS r",
    ],
    [
      "SELECT readings.id FROM a JOIN\n  readings ON",
      "SELECT measurements.id FROM a JOIN\n  measurements ON",
    ],
    ["SELECT count(*) AS readings FROM raw_readings", "SELECT count(*) AS readings FROM raw_readings"],
    ["SELECT counted.readings FROM readings_2", "SELECT counted.readings FROM readings_2"],
    ["SELECT 'dt FROM readings', 'it''s dt'", "SELECT 'dt FROM readings', 'it''s dt'"],
    ["SELECT 1 -- dt FROM readings\n, dt", "SELECT 1 -- dt FROM readings\n, event_day"],
    ["SELECT /* dt\n'dt */ dt", "SELECT /* dt\n'dt */ event_day"],
  ];
  for (const [shipped, other] of cases) t.equal(inLayout(shipped, OTHER_LAYOUT), other);
});
