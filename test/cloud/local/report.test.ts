/** The report of a day: its command, and what the file holds. */

import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { encodeShipped } from "../../../agent/contract/shipped.ts";
import { parseDay } from "../../../cloud/local/report/day.ts";
import { pageOf } from "../../../cloud/local/report/page.ts";
import { readDay } from "../../../cloud/local/report/read-day.ts";
import { linear, ticks, valueDomain } from "../../../cloud/local/report/scale.ts";
import { summaryOf } from "../../../cloud/local/report/summary.ts";
import { plainNode } from "../../helpers/node.ts";
import { atTerminal, NO_TERMINAL } from "../../helpers/terminal.ts";
import { DAY, farm, MINUTE, SICK, START } from "./helpers/farm-day.ts";
import { lakeFolder, objectName } from "./helpers/lake.ts";

function report(...args: string[]): Promise<{ code: number; out: string; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(...plainNode(["dist/report.js", ...args]), (_error, out, said) =>
      resolve({ code: child.exitCode ?? -1, out, said }),
    );
  });
}

const data = t.testdir();
const folder = await farm(data);

t.test("the command writes one file that needs nothing else", async (t) => {
  const out = join(data, "some", "where.html");
  const ended = await report("--data", data, "--day", DAY, "--out", out);
  const sentence =
    "8,520 readings of 2 turbines through 1 gateway on 22 November 2026: 1 episode out of range, 1 stuck sensor and 1 gap.";
  t.match(ended, { code: 0, said: "" });
  t.ok(ended.out.includes(out), "the file's name is said");
  const page = readFileSync(out, "utf8");
  t.match(ended.out.replace(" so far", ""), sentence);
  t.match(page.replace(" so far", ""), sentence);
  t.notMatch(page, /<script|<link|<img|@import|url\(|https?:|NaN|Infinity|undefined/);
  t.match(page, /prefers-color-scheme: dark/);
  t.match(page, "&lt;script&gt;alert(&quot;T02&quot;)&lt;/script&gt;", "names are text");
  t.match(page, "gw-&lt;01&gt;");
  t.equal(page.match(/<figure>/g)?.length, 6, "a chart per turbine and sensor");

  const inside = await report("--data", data, "--day", DAY);
  t.match(inside.out, join(data, "reports", `${DAY}.html`), "by default it lies in the cloud's folder");
});

t.test("a person at a terminal sees how far it has come", { skip: NO_TERMINAL }, async (t) => {
  const shown = await atTerminal("report", ["--data", data, "--day", DAY]);
  t.match(shown, `reading ${DAY}, question 2 …`);
  t.match(shown, "…\r\x1b[K8,520 readings", "and the line is erased before the result");
});

t.test("what was wrong with the day is told and drawn", async (t) => {
  const evening = START + 2 * 1440 * MINUTE;
  const day = await readDay(folder.lake, parseDay(DAY), evening);
  t.match(day.episodes, [{ turbine: SICK, type: "Hydraulic Pressure", readings: 5, min_value: 1e300 }]);
  t.match(day.stuck, [{ turbine: SICK, type: "Temperature Battery", stuck_at: 21.5, readings: 60 }]);
  t.same(day.gaps, [
    { turbine: SICK, types: ["Power Factor"], beganMs: START + 299 * MINUTE, endedMs: START + 420 * MINUTE },
  ]);
  const charts = pageOf(day).split("<figure>").slice(1);
  const drawn = charts.map((chart) => ({
    lines: chart.match(/class="line/g)?.length,
    marks: chart.match(/class="out"/g)?.length ?? 0,
    shaded: chart.match(/class="plausible"/g)?.length,
  }));
  const well = { lines: 1, marks: 0, shaded: 1 };
  t.same(drawn.slice(0, 3), [{ ...well, lines: 2 }, well, { ...well, marks: 3 }], "the sick turbine's");
  t.same(drawn.slice(3), [well, well, well], "the well one's");
  t.match(charts[2], /cy="8" r="2.4"><title>15:00 UTC: 1.00e\+300 bar, out of range/);
  t.match(pageOf(day), /<td>04:59–07:00 <span class="quiet">2 h 1 min<\/span><\/td>/);
  t.match(pageOf(day), /<strong>1,320<\/strong> <span class="quiet">91 % · 22 of 24 h/);
});

t.test("a sensor that was heard the week before is missed", async (t) => {
  const folder = lakeFolder(t.testdir());
  const reading = (turbine: string, date: string, seq: number) =>
    encodeShipped({
      ...{ id: "R", data: 0.9, type: "Power Factor", date, turbine },
      ...{ gateway: "gw-01", epoch: "e", seq, received: date },
    });
  folder.put(
    objectName(1, "a"),
    reading("T07", "2026-11-17T10:00:00.000Z", 1) +
      reading("T09", "2026-11-01T10:00:00.000Z", 2) +
      reading("T01", `${DAY}T00:05:00.000Z`, 3),
  );
  await folder.refresh();
  const noon = START + 720 * MINUTE;
  const day = await readDay(folder.lake, parseDay(DAY), noon);
  t.same(day.gaps, [
    { turbine: "T01", types: ["Power Factor"], beganMs: START + 5 * MINUTE, endedMs: noon },
    { turbine: "T07", types: ["Power Factor"], beganMs: START, endedMs: noon },
  ]);
  t.equal(summaryOf(day), "1 reading of 1 turbine through 1 gateway on 22 November 2026 so far: 2 gaps.");
  t.match(pageOf(day), /T07<\/th><td class="none">none this day/);
  t.match(pageOf(day), /class="line dot"/, "a single reading is a dot");
});

t.test("nothing is missed before a turbine's first reading ever", async (t) => {
  const folder = lakeFolder(t.testdir());
  let seq = 0;
  const reading = (turbine: string, type: "Power Factor" | "Hydraulic Pressure", minute: number) => {
    const date = new Date(START + minute * MINUTE).toISOString();
    return encodeShipped({
      ...{ id: "R", data: 0.9, type, date, turbine },
      ...{ gateway: "gw-01", epoch: "e", seq: ++seq, received: date },
    });
  };
  const until = START + 725 * MINUTE;
  let lines = reading("OLD", "Power Factor", -60);
  for (let minute = 700; minute < 725; minute++) {
    lines += reading("OLD", "Power Factor", minute) + reading("NEW", "Power Factor", minute);
    if (minute >= 715) lines += reading("NEW", "Hydraulic Pressure", minute);
  }
  folder.put(objectName(1, "a"), lines);
  await folder.refresh();
  const day = await readDay(folder.lake, parseDay(DAY), until);
  t.same(day.gaps, [
    {
      turbine: "NEW",
      types: ["Hydraulic Pressure"],
      beganMs: START + 700 * MINUTE,
      endedMs: START + 715 * MINUTE,
    },
    { turbine: "OLD", types: ["Power Factor"], beganMs: START, endedMs: START + 700 * MINUTE },
  ]);
});

t.test("what can't be reported is said in one sentence", async (t) => {
  const none = await report("--data", join(data, "elsewhere"), "--day", DAY);
  t.match(none, { code: 1, said: /there is no lake in .* yet/ });
  writeFileSync(join(data, "file"), "");
  const refusals: [args: string[], code: number, sentence: RegExp][] = [
    [["--day", "2026-11-23"], 1, /no readings on 2026-11-23\n +try: the lake has only 2026-11-22/],
    [["--day", "2026-02-30"], 2, /"2026-02-30" is not a day of the calendar/],
    [["--dya", DAY], 2, /dya/],
    [["--day", DAY, "--out", join(data, "file", "x.html")], 1, /can't be written to .*file/],
  ];
  const ends = await Promise.all(refusals.map(([args]) => report("--data", data, ...args)));
  for (const [index, [args, code, sentence]] of refusals.entries()) {
    t.match(ends[index], { said: sentence, code, out: "" }, args.join(" "));
  }
  t.throws(() => parseDay("22.11.2026"), { message: /written YYYY-MM-DD/, exitCode: 2 });
  t.throws(() => parseDay("+12026-11-2"), { message: /\S/, exitCode: 2 });
  t.throws(() => parseDay(undefined), { message: /--day is missing/, exitCode: 2 });
});

t.test("an axis holds any double", async (t) => {
  const range = { min: 0, max: 400 };
  for (const [min, max] of [
    [76, 76],
    [-Number.MAX_VALUE, Number.MAX_VALUE],
    [500, 600],
    [0, 0],
  ] as const) {
    for (const known of [range, undefined]) {
      const domain = valueDomain([{ min, max }], known);
      t.ok(domain[0] < domain[1] && domain.every(Number.isFinite), `${domain}`);
      t.ok(ticks(domain).every(Number.isFinite));
      const y = linear(domain, [100, 0]);
      t.ok([min, max].map(y).every((at) => at >= 0 && at <= 100));
    }
  }
  t.same(
    valueDomain([{ min: 500, max: 600 }], range).map(Math.round),
    [388, 512],
    "the crossed limit is seen",
  );
  t.same(ticks([0, 10]), [0, 2.5, 5, 7.5, 10]);
});
