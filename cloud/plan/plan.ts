/** What a fleet needs and costs, as data and as a page of text. */

import { settingsOf } from "../settings.ts";
import { type BillLine, billOf, whole } from "./bill.ts";
import { type Limit, limitsOf } from "./limits.ts";
import { type Needs, needsOf } from "./needs.ts";
import { PRICES, PRICES_AS_OF } from "./prices.ts";
import { DAY_SECONDS, type Fleet, MONTH_SECONDS, type Traffic, trafficOf } from "./traffic.ts";

/** How many times larger a fleet is looked at for what gives way. */
const GROWTH = 10;

export interface Plan {
  traffic: Traffic;
  needs: Needs;
  bill: BillLine[];
  /** US dollars a month. */
  usd: number;
  limits: Limit[];
}

export function planOf(fleet: Fleet, stage: string): Plan {
  const settings = settingsOf(stage);
  const traffic = trafficOf(fleet, settings);
  const needs = needsOf(traffic, settings);
  const bill = billOf(traffic, needs, settings);
  const usd = bill.reduce((sum, line) => sum + line.usd, 0);
  const grown = needsOf(trafficOf({ ...fleet, gateways: fleet.gateways * GROWTH }, settings), settings);
  return { traffic, needs, bill, usd, limits: limitsOf(traffic, grown, settings) };
}

export function asText({ traffic, bill, usd, limits }: Plan, stage: string): string {
  const { gateways, turbines, rate } = traffic.fleet;
  const month = MONTH_SECONDS / DAY_SECONDS;
  const lines = [
    `${count(gateways, "gateway")}, ${count(turbines, "turbine")} each, ${count(rate, "reading")} a second and sensor, stage ${stage}`,
    "",
    `Readings    ${whole(traffic.readings)} a second, ${whole((traffic.readings * DAY_SECONDS) / 1e6)} million a day`,
    `A gateway   ${whole(traffic.gatewayReadings)} a second, ${whole(traffic.readingBytes)} B each as gzip; its link carries ${whole(traffic.linkDayBytes / 1e6)} MB a day, ${whole((traffic.linkDayBytes * month) / 1e9)} GB a month`,
    `The stream  ${whole(traffic.bytes / 1e3)} kB and ${whole(traffic.records)} records a second`,
    "",
    ...bill.map(({ what, how, usd: line }) => `${what.padEnd(12)}${dollars(line)}  ${how}`),
    `${"a month".padEnd(12)}${dollars(usd)}  $${perMillion(usd, traffic)} a million readings`,
    "",
    `What gives way first, how many times this load it bears, and what to do for ${GROWTH} times as many gateways:`,
    ...limits.map(
      (limit) => `  ${bears(limit)}  ${limit.what}${limit.bears < GROWTH ? `: ${limit.remedy}` : ""}`,
    ),
    "",
    `List prices of ${PRICES_AS_OF}, us-east-1, US dollars, without taxes and free tiers; sources: cloud/plan/prices.ts.`,
    "Bytes are measured, the job's speed on Glue and what analysts ask are reckoned (cloud/plan).",
  ];
  return `${lines.join("\n")}\n`;
}

export function asJson(plan: Plan): string {
  return `${JSON.stringify({ ...plan, prices: { asOf: PRICES_AS_OF, ...PRICES } })}\n`;
}

function bears({ bears }: Limit): string {
  return `${whole(bears)} ×`.padStart(12);
}

function dollars(usd: number): string {
  return `$${usd.toFixed(2)}`.padStart(12);
}

function perMillion(usd: number, { readings }: Traffic): string {
  const price = usd / ((readings * MONTH_SECONDS) / 1e6);
  return price >= 0.01 ? price.toFixed(2) : price.toPrecision(2);
}

function count(value: number, word: string): string {
  return `${value.toLocaleString("en-GB")} ${word}${value === 1 ? "" : "s"}`;
}
