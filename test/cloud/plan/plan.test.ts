/** The plan's arithmetic against figures that were measured elsewhere, its promises about the design, and its words. */

import { readFileSync } from "node:fs";
import t from "tap";
import { planOf } from "../../../cloud/plan/plan.ts";
import { PRICES, PRICES_AS_OF } from "../../../cloud/plan/prices.ts";
import { trafficOf } from "../../../cloud/plan/traffic.ts";
import { settingsOf } from "../../../cloud/settings.ts";
import { Program } from "../../helpers/program.ts";

const prod = settingsOf("prod");
const fleet = (gateways: number, turbines = 30, rate = 1) => ({ gateways, turbines, rate });
const lineOf = (plan: ReturnType<typeof planOf>, what: string) =>
  plan.bill.find((line) => line.what === what) ?? { usd: Number.NaN, how: "" };

t.test(
  "a link carries what the design allows: at most 60 B a reading at nine a second, all counted",
  async (t) => {
    const { linkDayBytes, gatewayReadings } = trafficOf(fleet(1, 3), prod);
    t.equal(gatewayReadings, 9);
    const each = linkDayBytes / (9 * 86_400);
    t.ok(each <= 60 && each > 40, `${each} B a reading`);
  },
);

t.test("bytes of a reading are those measured, and lie between them in between", async (t) => {
  // Ten seconds of three sensors are one member.
  const bytes = (perFlush: number): number =>
    Number(trafficOf(fleet(1, 1, perFlush / 30), prod).readingBytes.toFixed(9));
  t.equal(bytes(3), 77);
  t.equal(bytes(90), 17.5);
  t.equal(bytes(1_000), 16.5);
  t.equal(bytes(100_000), 16.5);
  t.ok(bytes(60) > 17.5 && bytes(60) < 22.7);
  t.equal(trafficOf(fleet(1, 1, 1e-5), prod).readingBytes, 150, "one reading alone");
});

t.test("from a backlog's worth of readings at most a thousand payload units a million", async (t) => {
  const { records, recordBytes, readings } = trafficOf(fleet(1, 1_000, 10), prod);
  const units = (records * Math.ceil(recordBytes / 25_600)) / readings;
  t.ok(units * 1e6 <= 1_000, `${units * 1e6} units`);
});

t.test("prices times amounts make the lines", async (t) => {
  const plan = planOf(fleet(1_000), "prod");
  t.equal(plan.needs.shards, 3);
  const units = 1_000 * 0.1 * 730 * 3_600;
  const kinesis = 3 * 730 * (0.015 + 0.02) + (units / 1e6) * 0.014;
  t.ok(
    Math.abs(lineOf(plan, "Kinesis").usd - kinesis) < 0.01,
    `${lineOf(plan, "Kinesis").usd} against ${kinesis}`,
  );
  // 14.9 kB are billed as 15 kB.
  const firehose = (units * 15_000 * 0.029) / 1e9;
  t.ok(Math.abs(lineOf(plan, "Firehose").usd - firehose) < 0.01);
  t.equal(
    plan.usd,
    plan.bill.reduce((sum, { usd }) => sum + usd, 0),
  );
});

t.test(
  "a trickle on demand is dearer than a shard, and a flood of tiny records needs shards for their number",
  async (t) => {
    t.match(lineOf(planOf(fleet(1), "dev"), "Kinesis").how, /^1 shard,.* on demand \$\d/);
    const { needs, traffic } = planOf(fleet(50_000, 1, 0.01), "prod");
    t.ok(traffic.records > 1_000 && traffic.bytes < 1_000_000);
    t.ok(needs.shards * 1_000 >= traffic.records * 1.4, `${needs.shards} shards`);
  },
);

t.test("objects below 128 kB never get cold", async (t) => {
  t.match(lineOf(planOf(fleet(1, 3), "dev"), "S3 storage").how, /too small to get cold/);
  t.match(lineOf(planOf(fleet(100), "prod"), "S3 storage").how, /of it cold/);
});

t.test("more gateways cost more, need more and leave less room", async (t) => {
  const plans = [1, 10, 100, 1_000, 10_000].map((gateways) => planOf(fleet(gateways), "prod"));
  for (const [index, plan] of plans.entries()) {
    const before = plans[index - 1];
    if (before === undefined) continue;
    t.ok(plan.usd > before.usd);
    t.ok(plan.needs.shards >= before.needs.shards && plan.needs.workers >= before.needs.workers);
    t.ok((plan.limits[0]?.bears ?? 0) < (before.limits[0]?.bears ?? 0));
  }
});

t.test("what the job bears is what the stage promises, or more", async (t) => {
  for (const stage of ["dev", "prod"] as const) {
    const { keepsUpWith } = settingsOf(stage).curation;
    const { limits, traffic } = planOf(fleet(1), stage);
    const job = limits.find(({ what }) => what.startsWith("the job"));
    t.ok((job?.bears ?? 0) * traffic.readings >= keepsUpWith, stage);
  }
});

t.test("every price has its source, and the table its month", async (t) => {
  t.match(PRICES_AS_OF, /^20\d\d-\d\d$/);
  for (const [name, { source, usd }] of Object.entries(PRICES)) {
    t.match(source, /^https:\/\/aws\.amazon\.com\/[a-z0-9/-]+\/pricing\/$/, name);
    t.ok(usd > 0);
  }
});

t.test("the page of the cloud has the bills of 1, 100 and 1 000 gateways as they come out now", async (t) => {
  const page = readFileSync("docs/cloud.md", "utf8");
  for (const gateways of [1, 100, 1_000]) {
    const { bill, usd } = planOf(fleet(gateways), "prod");
    const cells = [...bill.map((line) => line.usd), usd].map((value) => value.toFixed(2));
    for (const cell of cells) t.ok(page.includes(` ${cell} |`), `${gateways} gateways: ${cell}`);
  }
});

t.test("the command prints a page or JSON, and refuses what can't be", async (t) => {
  const { code, stdout } = await new Program("plan", [
    "--gateways",
    "1000",
    "--turbines",
    "30",
    "--rate",
    "1",
  ]).ended;
  t.equal(code, 0);
  t.match(stdout, /^1,000 gateways, 30 turbines each, 1 reading a second and sensor, stage prod\n/);
  t.match(stdout, /\na month +\$\d+\.\d\d /);
  t.match(stdout, /List prices of 20\d\d-\d\d/);
  const json = await new Program("plan", ["--json"]).ended;
  t.match(JSON.parse(json.stdout), { needs: { shards: 2 }, prices: { asOf: PRICES_AS_OF } });
  for (const args of [
    ["--gateways", "0"],
    ["--gateways", "1.5"],
    ["--rate", "0"],
    ["--rate", "x"],
    ["--turbine", "3"],
  ]) {
    const wrong = await new Program("plan", args).ended;
    t.equal(wrong.code, 2, args.join(" "));
    t.match(wrong.stderr, /^plan: .+\n {2}try: npm run plan -- --help\n$/, args.join(" "));
  }
});
