/** One chart over time; its key says the newest values, or those under the pointer. */

import uPlot from "uplot";
import { formatCount } from "../../../common/format.ts";

/** @typedef {(value: number) => string} Format */

const HEIGHT = 176;
const AXIS_WIDTH = 54;
/** Seconds from one time on the axis to the next, at least: a label for less would say the same twice. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
/** @type {[least: number, letter: string][]} */
const SCALES = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

export class Chart {
  #target;
  #key;
  #names;
  #format;
  /** @type {uPlot | undefined} */
  #plot;

  /**
   * @param {HTMLElement} target
   * @param {readonly string[]} names of the series, which are also their colours' names: `--received`
   * @param {Format} format
   */
  constructor(target, names, format) {
    this.#target = target;
    this.#key = target.parentElement?.querySelector(".key");
    this.#names = names;
    this.#format = format;
    new ResizeObserver(() => {
      const width = target.clientWidth;
      if (this.#plot !== undefined && width > 0 && width !== this.#plot.width)
        this.#plot.setSize({ width, height: HEIGHT });
    }).observe(target);
  }

  /** The colours changed: the next drawing starts anew. */
  forget() {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  /** @param {uPlot.AlignedData} data */
  draw(data) {
    if (this.#plot === undefined) this.#plot = new uPlot(this.#options(), data, this.#target);
    else this.#plot.setData(data);
    this.#tell(this.#plot);
    this.#describe(data);
  }

  /** @returns {uPlot.Options} */
  #options() {
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    const axis = {
      stroke: colour("quiet"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    return {
      width: this.#target.clientWidth,
      height: HEIGHT,
      // On the right for half of the last label.
      padding: [10, 30, 0, 0],
      cursor: { y: false, drag: { setScale: false, x: false, y: false } },
      legend: { show: false },
      hooks: { setCursor: [(plot) => this.#tell(plot)] },
      scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
      series: [
        {},
        ...this.#names.map((name, index) => ({
          stroke: colour(name),
          width: 2,
          points: { show: false },
          ...(index === 0 ? { fill: `${colour(name)}22` } : { dash: [5, 4] }),
        })),
      ],
      axes: [
        {
          ...axis,
          size: 30,
          space: 64,
          incrs: STEPS,
          // uPlot draws one time more than there is room for.
          filter: within,
          grid: { ...axis.grid, filter: within },
          values: (_, ticks, __, ___, step) =>
            ticks.map((tick) => (tick === null ? "" : clock(tick, step < 60))),
        },
        { ...axis, size: AXIS_WIDTH, values: (_, ticks) => ticks.map(tickText) },
      ],
    };
  }

  /** @param {uPlot} plot */
  #tell(plot) {
    const { idx } = plot.cursor;
    const last = plot.data[0].length - 1;
    const at = plot.data[0][idx ?? last];
    if (this.#key === null || this.#key === undefined || at === undefined) return;
    const values = this.#names.map((name, index) => {
      const item = document.createElement("b");
      const value = plot.data[index + 1]?.[idx ?? last];
      item.dataset.series = name;
      item.textContent = `${name} ${typeof value === "number" ? this.#format(value) : "–"}`;
      return item;
    });
    this.#key.replaceChildren(typeof idx === "number" ? clock(at, true) : "", ...values);
  }

  /**
   * What the chart shows, for those who don't see it.
   * @param {uPlot.AlignedData} data
   */
  #describe(data) {
    const parts = this.#names.map((name, index) => {
      const values = (data[index + 1] ?? []).filter((value) => typeof value === "number");
      return `${name} now ${this.#format(values.at(-1) ?? 0)}, at most ${this.#format(Math.max(0, ...values))}`;
    });
    this.#target.setAttribute("aria-label", `Over the last hour: ${parts.join("; ")}`);
  }
}

/**
 * @param {uPlot} plot
 * @param {number[]} times
 */
function within(plot, times) {
  const latest = plot.scales.x?.max ?? Number.POSITIVE_INFINITY;
  return times.map((time) => (time > latest ? null : time));
}

/**
 * `13:47` or `13:47:05`, in the reader's time zone.
 * @param {number} seconds since 1970
 * @param {boolean} exact
 */
function clock(seconds, exact) {
  const text = new Date(seconds * 1000).toTimeString();
  return text.slice(0, exact ? 8 : 5);
}

/** @param {number} value */
function tickText(value) {
  if (value < 100) return String(Number(value.toFixed(2)));
  const [scale, letter] = SCALES.find(([least]) => value >= 10 * least) ?? [1, ""];
  return scale === 1 ? formatCount(value) : `${Number((value / scale).toFixed(1))} ${letter}`;
}
