/** Whether everything arrived: the sensors', the agent's and the lake's numbers side by side. */

import { z } from "zod";
import type { AgentStatus, CloudStatus } from "./status.ts";

const SensorSummary = z.object({
  made: z.number(),
  published: z.number(),
  acknowledged: z.number(),
  unacknowledged: z.number(),
  seconds: z.number(),
});
export type SensorSummary = z.infer<typeof SensorSummary>;

/** The simulators' `--json` line, or undefined where it is none. */
export function readSensorSummary(line: string): SensorSummary | undefined {
  try {
    return SensorSummary.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

export interface Outcome {
  sensors?: SensorSummary | undefined;
  agent?: AgentStatus | undefined;
  cloud?: CloudStatus | undefined;
  /** True where agent and lake count what earlier starts brought, too. */
  earlier: boolean;
  /** Rows in the lake before the sensors began; undefined where they may make readings that it has already. */
  lakeBefore: number | undefined;
  /** By type, over the whole lake. */
  types: readonly TypeRow[];
}

export interface TypeRow {
  type: string;
  n: number;
  mean: number;
}

/** What is wrong, one sentence each; nothing when all arrived. */
export function missing({ sensors, agent, cloud, lakeBefore }: Outcome): string[] {
  const found: string[] = [];
  if (sensors !== undefined && sensors.unacknowledged > 0) {
    found.push(`${counted(sensors.unacknowledged, "was", "were")} made and not acknowledged`);
  }
  if (agent === undefined) return [...found, "the agent's accounts are not known"];
  if (cloud === undefined) return [...found, "the lake's accounts are not known"];
  if (agent.buffered > 0) {
    found.push(
      `${counted(agent.buffered, "is", "are")} still in the buffer, to be shipped at the next start`,
    );
  }
  const short = expected(agent) - agent.buffered - arrived(agent, cloud);
  if (short > 0) found.push(`${counted(short, "was", "were")} shipped and not found in the lake's raw data`);
  if (!cloud.lag.none) found.push("the lake has not yet everything that the stream accepted");
  const gained = cloud.lakeReadings - (lakeBefore ?? Number.NEGATIVE_INFINITY);
  if (sensors !== undefined && gained < sensors.acknowledged - agent.buffered) {
    found.push(
      `the lake gained ${figure(gained)} rows; the sensors had ${figure(sensors.acknowledged)} acknowledged`,
    );
  }
  return found;
}

/** The closing lines: what this start made, then what there is in all. */
export function summarise(outcome: Outcome): string[] {
  const { sensors, agent, cloud, types, earlier } = outcome;
  const lines: string[] = [];
  if (sensors !== undefined) {
    const { made, acknowledged, seconds } = sensors;
    lines.push(
      `sensors made ${counted(made)} in ${seconds.toFixed(0)} s, ${figure(acknowledged)} acknowledged`,
    );
  }
  if (earlier) lines.push("in all, with what earlier starts brought:");
  for (const { type, n, mean } of types) {
    lines.push(`  ${type.padEnd(20)} ${figure(n).padStart(12)} in the lake, mean ${mean.toFixed(3)}`);
  }
  if (agent !== undefined && cloud !== undefined) lines.push(equation(agent, cloud));
  return lines;
}

/** What a narrow terminal can best do without, first to last; what is in the lake is the figure that matters. */
const DISPENSABLE = ["shipped", "buffered", "rejected", "received", "dropped"] as const;

/** `received 1 234 · buffered 3 · shipped 1 231 · in the lake 1 200`, in `width` characters where that is possible. */
export function liveLine(
  agent: AgentStatus | undefined,
  cloud: CloudStatus | undefined,
  width = Number.POSITIVE_INFINITY,
): string {
  const parts = new Map<string, number | undefined>([
    ["received", agent?.received],
    ["buffered", agent?.buffered],
    ["shipped", agent?.shipped],
    ["in the lake", cloud?.lakeReadings],
  ]);
  if (agent !== undefined && agent.rejected > 0) parts.set("rejected", agent.rejected);
  if (agent !== undefined && agent.dropped > 0) parts.set("dropped", agent.dropped);
  for (const name of DISPENSABLE) {
    if (joined(parts).length <= width) break;
    parts.delete(name);
  }
  return joined(parts);
}

function joined(parts: ReadonlyMap<string, number | undefined>): string {
  return [...parts]
    .map(([name, value]) => `${name} ${value === undefined ? "–" : figure(value)}`)
    .join(" · ");
}

/** 1234567 as `1 234 567`. */
export function figure(value: number): string {
  return value.toLocaleString("en-US").replaceAll(",", " ");
}

/** `1 reading was`, `1 234 readings were`. */
function counted(value: number, ...[one, many]: [] | [one: string, many: string]): string {
  const verb = value === 1 ? one : many;
  return `${figure(value)} reading${value === 1 ? "" : "s"}${verb === undefined ? "" : ` ${verb}`}`;
}

/** All the lake ever got from gateways stands against what this agent's buffer ever took, so other buffers are named. */
function equation(agent: AgentStatus, cloud: CloudStatus): string {
  const { received, rejected, dropped, buffered } = agent;
  const terms = [`received ${figure(received)}`];
  if (rejected > 0) terms.push(`rejected ${figure(rejected)}`);
  if (dropped > 0) terms.push(`dropped ${figure(dropped)}`);
  if (buffered > 0) terms.push(`still buffered ${figure(buffered)}`);
  const all = cloud.epochs.reduce((sum, { distinct }) => sum + distinct, 0);
  const others = all - arrived(agent, cloud);
  const repeated = all - cloud.lakeReadings;
  const sums = [`in the lake ${figure(cloud.lakeReadings)}`];
  if (repeated > 0) sums.push(`repetitions removed ${figure(repeated)}`);
  const of = others > 0 ? ` (${figure(others)} of them from earlier buffers or other gateways)` : "";
  const sign = expected(agent) - buffered === arrived(agent, cloud) ? "=" : "≠";
  return `${terms.join(" − ")} ${sign} ${sums.join(" + ")}${of}`;
}

/** What must be in the lake or in the buffer. */
function expected({ received, rejected, dropped }: AgentStatus): number {
  return received - rejected - dropped;
}

function arrived(agent: AgentStatus, cloud: CloudStatus): number {
  const own = cloud.epochs.find(({ gateway, epoch }) => gateway === agent.gateway && epoch === agent.epoch);
  return own?.distinct ?? 0;
}
