/** The kinds of metrics there are, and how each is read from a snapshot. */

import type { Snapshot, Use } from "./snapshot.ts";

export interface MetricDefinition {
  name: string;
  help: string;
  type: "counter" | "gauge";
  labels?: readonly string[];
  /** The values of one snapshot; none where the snapshot doesn't know. */
  values(snapshot: Snapshot): Iterable<readonly [value: number, labels?: Readonly<Record<string, string>>]>;
}

type Read = (snapshot: Snapshot) => number | undefined;

export function counter(name: string, help: string, read: Read): MetricDefinition {
  return { name, help, type: "counter", values: (snapshot) => single(read(snapshot)) };
}

export function gauge(name: string, help: string, read: Read): MetricDefinition {
  return { name, help, type: "gauge", values: (snapshot) => single(read(snapshot)) };
}

/** Three metrics of what is used up: ever, today, in a month. */
export function usage(
  what: string,
  meaning: string,
  read: (snapshot: Snapshot) => Use | undefined,
): MetricDefinition[] {
  return [
    counter(
      `windfarm_${what}_bytes_total`,
      `Bytes ${meaning}, since the agent started.`,
      (s) => read(s)?.totalBytes,
    ),
    gauge(`windfarm_${what}_today_bytes`, `Bytes ${meaning}, today (UTC).`, (s) => read(s)?.todayBytes),
    gauge(
      `windfarm_${what}_month_bytes`,
      `Bytes ${meaning}, in 30 days at the rate of the last hour.`,
      (s) => read(s)?.monthBytes,
    ),
  ];
}

export function byLabel(
  name: string,
  help: string,
  label: string,
  read: (snapshot: Snapshot) => Readonly<Record<string, number>>,
): MetricDefinition {
  const values = (snapshot: Snapshot) =>
    Object.entries(read(snapshot)).map(([key, value]) => [value, { [label]: key }] as const);
  return { name, help, type: "counter", labels: [label], values };
}

function single(value: number | undefined): (readonly [number])[] {
  return value === undefined ? [] : [[value]];
}

export function oneOf(
  all: Readonly<Record<string, true>>,
  current: string,
): (readonly [number, { state: string }])[] {
  return Object.keys(all).map((state) => [Number(state === current), { state }] as const);
}
