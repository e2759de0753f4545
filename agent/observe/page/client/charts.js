/** The last hour as two charts. */

import { formatCount, formatRate } from "../../../common/format.ts";
import { RateWindow } from "../../rates.ts";
import { PAGE_RATE_WINDOW_MS } from "../counters.ts";
import { Chart } from "./chart.js";

/** @typedef {import("../../history.ts").HistorySample} HistorySample */
/** @typedef {import("uplot").AlignedData} AlignedData */

const EVERY_MS = 5000;
const KEEP_MS = 3_600_000;
/** A gap between two samples longer than this is drawn as one: nobody was looking, or the machine slept. */
const GAP_MS = 30_000;
/** A line needs so many samples. */
const LEAST_SAMPLES = 3;

export class Charts {
  /** @type {HistorySample[]} */
  #samples = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #section;
  #rate;
  #depth;

  /**
   * @param {HTMLElement} rate
   * @param {HTMLElement} depth
   */
  constructor(rate, depth) {
    this.#section = rate.closest("section");
    this.#rate = new Chart(rate, ["received", "shipped"], formatRate);
    this.#depth = new Chart(depth, ["buffered"], formatCount);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#rate.forget();
      this.#depth.forget();
      this.#draw();
    });
  }

  /** The agent started anew: its history did too. */
  forget() {
    this.#samples = [];
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Asks for what is new, if it is time.
   * @param {(path: string) => Promise<any>} ask
   */
  async refresh(ask) {
    if (performance.now() - this.#askedAt < EVERY_MS) return;
    this.#askedAt = performance.now();
    const since = this.#samples.at(-1)?.[0] ?? 0;
    this.#samples.push(...(await ask(`/api/history?since=${since}`)));
    const newest = this.#samples.at(-1)?.[0] ?? 0;
    this.#samples = this.#samples.filter(([atMs]) => atMs > newest - KEEP_MS);
    this.#draw();
  }

  #draw() {
    if (this.#samples.length < LEAST_SAMPLES) return;
    if (this.#section !== null) this.#section.hidden = false;
    this.#rate.draw(ratesOf(this.#samples));
    this.#depth.draw([this.#samples.map(secondsOf), this.#samples.map((sample) => sample[5])]);
  }
}

/**
 * The same measure as everywhere on the page.
 * @param {readonly HistorySample[]} samples
 * @returns {AlignedData} seconds since 1970, received per second, shipped per second
 */
function ratesOf(samples) {
  let rates = new RateWindow(PAGE_RATE_WINDOW_MS);
  let before = Number.NEGATIVE_INFINITY;
  const [received, shipped] = [/** @type {(number | null)[]} */ ([]), /** @type {(number | null)[]} */ ([])];
  for (const [atMs, allReceived, allShipped] of samples) {
    if (atMs - before > GAP_MS) rates = new RateWindow(PAGE_RATE_WINDOW_MS);
    before = atMs;
    rates.push(atMs, { received: allReceived, shipped: allShipped });
    received.push(rates.perSecond("received") ?? null);
    shipped.push(rates.perSecond("shipped") ?? null);
  }
  return [samples.slice(1).map(secondsOf), received.slice(1), shipped.slice(1)];
}

/** @param {HistorySample} sample */
function secondsOf([atMs]) {
  return atMs / 1000;
}
