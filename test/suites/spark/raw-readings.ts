/** A farm's raw readings as they come after outages, with wrong clocks and from sloppy producers; seeded. */

import { SENSOR_TYPES } from "../../../agent/contract/sensors.ts";
import type { RawStore } from "../../../cloud/local/raw-store.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BEGIN_MS = Date.UTC(2026, 10, 1);
const TURBINES = 10;

export interface Plan {
  seed: number;
  /** Raw lines in all, duplicates and bad ones among them. */
  lines: number;
  linesAnObject: number;
  /** Days over which they arrive. */
  days: number;
}

export interface Written {
  /** Identities of the readings among the lines written so far. */
  identities: Set<string>;
  lines: number;
  bad: number;
}

/** Writes raw objects bit by bit: `more(share)` goes on until that share of the plan is written. */
export class RawReadings {
  readonly #plan: Plan;
  readonly #raw: RawStore;
  readonly #random: () => number;
  #object = 0;
  #seq = 0;
  /** Lines sent before, to be sent again. */
  #sent: string[] = [];
  /** Readings made in an outage, to arrive twenty days later. */
  #late: { arriveMs: number; fields: Fields }[] = [];
  readonly written: Written = { identities: new Set(), lines: 0, bad: 0 };

  constructor(plan: Plan, raw: RawStore) {
    this.#plan = plan;
    this.#raw = raw;
    this.#random = mulberry32(plan.seed);
  }

  async more(share: number): Promise<void> {
    const { lines, linesAnObject, days } = this.#plan;
    const objects = Math.ceil(lines / linesAnObject);
    for (; this.#object < objects * share; this.#object++) {
      const arrivedMs = BEGIN_MS + Math.floor((this.#object / objects) * days * DAY_MS);
      const messy = this.#object % 5 === 4;
      let text = "";
      for (let line = 0; line < linesAnObject; line++) text += `${this.#line(arrivedMs, messy)}\n`;
      this.written.lines += linesAnObject;
      await this.#raw.put(arrivedMs, Buffer.from(text));
    }
  }

  #line(arrivedMs: number, messy: boolean): string {
    const dice = this.#random();
    if (messy && dice < 0.02) {
      this.written.bad++;
      return this.#bad(arrivedMs);
    }
    const due = this.#late.at(0);
    if (due !== undefined && due.arriveMs <= arrivedMs) {
      this.#late.shift();
      return this.#deliver(due.fields, arrivedMs);
    }
    if (dice < 0.1 && this.#sent.length > 0) return this.#again(arrivedMs);
    const fields = this.#reading(arrivedMs);
    // Of the first days a link was down: their readings come twenty days later.
    if (this.#random() < 0.05 && arrivedMs < BEGIN_MS + 4 * DAY_MS)
      this.#late.push({ arriveMs: arrivedMs + 20 * DAY_MS, fields: this.#reading(arrivedMs) });
    return this.#deliver(fields, arrivedMs);
  }

  #reading(arrivedMs: number): Fields {
    const sort = this.#random();
    const type = SENSOR_TYPES[this.#int(3)] ?? "Power Factor";
    let ms = arrivedMs - this.#int(60_000);
    if (sort < 0.01) ms = arrivedMs + this.#int(5 * DAY_MS);
    const iso = new Date(ms).toISOString();
    const date = sort > 0.98 ? iso.slice(0, 10) : sort > 0.96 ? `${iso.slice(0, 10)}T00:00:00.000Z` : iso;
    const turbine = `T${this.#int(TURBINES)}`;
    const moving = this.#int(5) === 0 ? this.#int(100) : Math.fround(this.#random() * 90) - 5;
    // One sensor is stuck.
    const data = turbine === "T0" && type === "Hydraulic Pressure" ? 76 : moving;
    return { id: `P_${this.#int(40)}`, data, type, date, turbine };
  }

  #deliver(fields: Fields, arrivedMs: number): string {
    const { id, data, type, date, turbine } = fields;
    const midnight = date.length === 10 ? `${date}T00:00:00.000Z` : date;
    this.written.identities.add(`${turbine} ${type} ${id} ${midnight} ${data}`);
    const line = JSON.stringify({ ...fields, ...this.#delivery(arrivedMs) });
    if (this.#sent.length < 5_000) this.#sent.push(line);
    else this.#sent[this.#int(5_000)] = line;
    return line;
  }

  /** The very same delivery once more, or the same reading in a delivery of its own. */
  #again(arrivedMs: number): string {
    const line = this.#sent[this.#int(this.#sent.length)] ?? "";
    if (this.#random() < 0.5) return line;
    return JSON.stringify({ ...JSON.parse(line), ...this.#delivery(arrivedMs) });
  }

  #delivery(arrivedMs: number): object {
    const gateway = `gw-0${1 + this.#int(3)}`;
    const received = new Date(arrivedMs - this.#int(5_000)).toISOString();
    return { gateway, epoch: "e1", seq: ++this.#seq, received };
  }

  #bad(arrivedMs: number): string {
    const good = { ...this.#reading(arrivedMs), ...this.#delivery(arrivedMs) };
    const kinds: (() => string)[] = [
      () => "not json at all",
      () => JSON.stringify(good).slice(0, 40),
      () => JSON.stringify({ ...good, id: "" }),
      () => JSON.stringify({ ...good, data: "1d" }),
      () => JSON.stringify({ ...good, data: "0x1p3" }),
      () => JSON.stringify({ ...good, data: null }),
      () => JSON.stringify({ ...good, date: "2026-02-30" }),
      () => JSON.stringify({ ...good, date: "epoch" }),
      () => JSON.stringify({ ...good, date: "2026-11-22T24:00:00.000Z" }),
      () => JSON.stringify({ ...good, seq: "1_000" }),
      () => JSON.stringify({ ...good, received: "yesterday" }),
      () => JSON.stringify({ other: "keys", than: 3 }),
      () => "[1,2,3]",
    ];
    return kinds[this.#int(kinds.length)]?.() ?? "";
  }

  #int(below: number): number {
    return Math.floor(this.#random() * below);
  }
}

interface Fields {
  id: string;
  data: number;
  type: string;
  date: string;
  turbine: string;
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
