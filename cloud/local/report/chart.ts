/** One sensor's day as an SVG: the mean as a line, least to greatest as a band, what is out of range as marks. */

import { DAY_MS } from "./day.ts";
import type { Slice } from "./rows.ts";
import { linear, type Scale, ticks, valueDomain } from "./scale.ts";
import { clock, escaped, measured, sensorOf, short } from "./words.ts";

const WIDTH = 360;
const HEIGHT = 168;
const PLOT = { left: 44, right: 352, top: 8, bottom: 146 };

export interface ChartData {
  turbine: string;
  type: string;
  startMs: number;
  /** In order of time, at least one. */
  slices: readonly Slice[];
  /** A longer pause breaks the line. */
  limitMs: number;
}

export function chartOf(data: ChartData): string {
  const range = sensorOf(data.type)?.plausible;
  const domain = valueDomain(data.slices, range);
  const y = linear(domain, [PLOT.bottom, PLOT.top]);
  const x = linear([data.startMs, data.startMs + DAY_MS], [PLOT.left, PLOT.right]);
  const lines = runs(data).map((run) => runOf(run, x, y));
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(described(data))}">`,
    range === undefined ? "" : shade(range, y),
    grid(domain, y, data.startMs, x),
    ...lines,
    range === undefined ? "" : marks(data, range, x, y),
    "</svg>",
  ].join("");
}

function described({ turbine, type, slices }: ChartData): string {
  const least = Math.min(...slices.map(({ min }) => min));
  const greatest = Math.max(...slices.map(({ max }) => max));
  return `${type} of ${turbine}, ${measured(least, type)} to ${measured(greatest, type)}`;
}

function shade(range: { min: number; max: number }, y: Scale): string {
  const [top, bottom] = [y(range.max), y(range.min)];
  const edges = [top, bottom].filter((at) => at > PLOT.top && at < PLOT.bottom);
  return (
    `<rect class="plausible" x="${PLOT.left}" y="${at(top)}" width="${PLOT.right - PLOT.left}" height="${at(bottom - top)}"/>` +
    edges.map((edge) => `<path class="limit" d="M${PLOT.left} ${at(edge)}H${PLOT.right}"/>`).join("")
  );
}

function grid(domain: readonly [number, number], y: Scale, startMs: number, x: Scale): string {
  const values = ticks(domain).map(
    (value) =>
      `<path class="grid" d="M${PLOT.left} ${at(y(value))}H${PLOT.right}"/>` +
      `<text x="${PLOT.left - 6}" y="${at(y(value) + 3.5)}" text-anchor="end">${short(value)}</text>`,
  );
  const hours = [0, 6, 12, 18, 24].map((hour) => {
    const left = at(x(startMs + hour * 3_600_000));
    const anchor = hour === 24 ? "end" : hour === 0 ? "start" : "middle";
    return (
      `<path class="grid" d="M${left} ${PLOT.bottom}v4"/>` +
      `<text x="${left}" y="${PLOT.bottom + 16}" text-anchor="${anchor}">${hour}${hour === 24 ? " h" : ""}</text>`
    );
  });
  return `${values.join("")}${hours.join("")}<path class="axis" d="M${PLOT.left} ${PLOT.bottom}H${PLOT.right}"/>`;
}

/** The slices between gaps. */
function runs({ slices, limitMs }: ChartData): Slice[][] {
  const found: Slice[][] = [];
  let before: Slice | undefined;
  for (const slice of slices) {
    const pause =
      before === undefined ? Number.POSITIVE_INFINITY : slice.first.getTime() - before.last.getTime();
    if (pause > limitMs) found.push([]);
    found.at(-1)?.push(slice);
    before = slice;
  }
  return found;
}

function runOf(run: readonly Slice[], x: Scale, y: Scale): string {
  const point = (slice: Slice, value: number) => `${at(x(middle(slice)))} ${at(y(value))}`;
  const means = run.map((slice) => point(slice, slice.mean)).join("L");
  const [first] = run;
  if (run.length === 1 && first !== undefined) {
    // A line of no length, with round ends, is a dot.
    const reach = `<path class="band" d="M${point(first, first.max)}L${point(first, first.min)}"/>`;
    return `${reach}<path class="line dot" d="M${means}h.01"/>`;
  }
  const upper = run.map((slice) => point(slice, slice.max));
  const lower = run.map((slice) => point(slice, slice.min)).reverse();
  return `<path class="band" d="M${[...upper, ...lower].join("L")}Z"/><path class="line" d="M${means}"/>`;
}

function marks(data: ChartData, range: { min: number; max: number }, x: Scale, y: Scale): string {
  return data.slices
    .flatMap((slice) => [
      ...(slice.max > range.max ? [markOf(slice, slice.max, data, x, y)] : []),
      ...(slice.min < range.min ? [markOf(slice, slice.min, data, x, y)] : []),
    ])
    .join("");
}

function markOf(slice: Slice, value: number, data: ChartData, x: Scale, y: Scale): string {
  const title = `${clock(slice.first.getTime(), data.startMs)} UTC: ${measured(value, data.type)}, out of range`;
  return `<circle class="out" cx="${at(x(middle(slice)))}" cy="${at(y(value))}" r="2.4"><title>${escaped(title)}</title></circle>`;
}

function middle({ first, last }: Slice): number {
  return (first.getTime() + last.getTime()) / 2;
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}
